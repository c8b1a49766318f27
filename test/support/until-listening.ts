import { connect } from "node:net";
import { eventually } from "./eventually.ts";

/** Waits until a program that was started accepts connections. */
export async function untilListening({ address, port }: Place, program: string): Promise<void> {
  const isOpen = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      const told = (isThere: boolean) => {
        socket.destroy();
        resolve(isThere);
      };
      socket.once("connect", () => told(true)).once("error", () => told(false));
    });
  await eventually(isOpen, () => `cannot start ${program}: nobody listens`);
}

interface Place {
  readonly address: string;
  readonly port: number;
}

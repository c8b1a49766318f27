/** What `oci-unpack sync --help` says. */
export const syncHelp = `\
Usage: oci-unpack sync [OPTIONS] DIRECTORY IMAGE

Makes DIRECTORY/rootfs and DIRECTORY/config.json what IMAGE says, and writes only
what differs: another version, or the same one where something was damaged. Files
are compared by SHA-256. The new root is made beside the old one, of hard links
to the files that stay and of new ones, and then takes its place at once: at every
moment there is one whole version, also if somebody kills it.
A DIRECTORY that is not there yet is made.

  oci-unpack sync ./debian debian:stable
  oci-unpack sync --store ./store --trust-times ./app registry.example/app:2
  oci-unpack sync --dry-run ./app registry.example/app:2

  -n, --dry-run          change nothing, and list what would come, go and change
      --keep-path GLOB   leave these paths as they are, with all that is below
                         them, whether IMAGE has them or not; may be repeated;
                         patterns as in --include
      --trust-times      believe that a file whose size and time are those of the
                         image that lies there has its content, too, and do not
                         read it; the store has to know that image's layers
  -f, --force            take a DIRECTORY that has other things in it and no
                         config.json
      --bundle           make it a runtime bundle, as in unpacking
      --mtree FILE       list what IMAGE has there, as in unpacking
      --json             the result as JSON
  -q, --quiet    -v, --verbose    --explain    -h, --help

Options that decide what files become have to be those of the unpacking: --owner,
--rootless, --uid-map, --gid-map, --devices, --xattr-include, --xattr-exclude,
--keep-dirlinks, --include, --exclude. All others are those of oci-unpack --help.

Exit status
  0  done; with --dry-run, nothing differs
  1  failed
  2  wrong command line
  3  with --dry-run: something differs
`;

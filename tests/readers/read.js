// Node's zlib and npm packages, which are found through NODE_PATH.
const fs = require("fs");
const zlib = require("zlib");
const { pipeline } = require("stream/promises");

const print = (bytes) => fs.writeFileSync(1, bytes);

const methods = {
  "gunzipSync": (file) => print(zlib.gunzipSync(fs.readFileSync(file))),
  "createGunzip": (file) =>
    pipeline(fs.createReadStream(file), zlib.createGunzip(), fs.createWriteStream(null, { fd: 1 })),
  "fetch": async (url) => print(new Uint8Array(await (await fetch(url)).arrayBuffer())),
  "fflate": (file) => print(require("fflate").gunzipSync(fs.readFileSync(file))),
  "pako1": (file) => print(require("pako1").ungzip(fs.readFileSync(file))),
  "pako2": (file) => print(require("pako2").ungzip(fs.readFileSync(file))),
  "pako3": (file) => print(require("pako3").ungzip(fs.readFileSync(file))),
  "tar": (file) => require("tar").extract({ file, strict: true }),
};

const [method, file] = process.argv.slice(2);
Promise.resolve()
  .then(() => methods[method](file))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });

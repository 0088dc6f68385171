// Entry of the kernel: what JavaScript may call. Scanning stands in scan*.ts, formatting in format*.ts, inflating in inflate*.ts, packing of JSON in json-pack*.ts.
export { crc32 } from './crc32';
export { findFields } from './find-fields';
export { jsonPack, jsonPackRegions, jsonPackTime } from './json-pack';
export { scanEntries, scanRewrite } from './scan-entries';
export { scanFrame, scanFrameStart, scanFrameStartInside } from './scan-frame';
export { scanNext } from './scan-message';
export { scanRegions, scanRules } from './scan-rules';
export { scanSlice } from './scan-slice';
export { scanInit } from './scan-walk';
export { formatMiddle, formatProgram, formatRun } from './format';
export { gunzip, gunzipInit } from './inflate-gzip';

// Entry of the kernel: what JavaScript may call. Scanning stands in scan*.ts, formatting in format*.ts.
export function version(): i32 {
  return 1;
}

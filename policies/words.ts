const GIBIBYTE = 2 ** 30;
const MEBIBYTE = 2 ** 20;

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

export function cores(value: number): string {
  return `${value.toFixed(2)} cores`;
}

export function bytes(value: number): string {
  return value >= GIBIBYTE ? `${(value / GIBIBYTE).toFixed(1)} GiB` : `${(value / MEBIBYTE).toFixed(0)} MiB`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// Where one goes on to after signing in.

/** Only addresses of our own: a link must not lead elsewhere after sign-in. Browsers take `\` for `/` and pass over tabs and line breaks. */
export function safeReturn(address: string | undefined): string {
  return address && /^\/(?!\/)[^\\\p{Cc}\p{Z}]*$/u.test(address) ? address : "/productions";
}

/** The address of a connection with the place to come back to. */
export function withReturn(address: string, to: string | undefined): string {
  return to ? `${address}?return=${encodeURIComponent(to)}` : address;
}

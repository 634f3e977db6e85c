// Passkeys: between the API's base64url texts and the browser's bytes.

import type { PasskeyCreation, PasskeyForm, PasskeyRequest, PasskeySignature } from "./types";

const text = (buffer: ArrayBuffer): string => {
  let binary = "";
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};

const bytes = (base64url: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

const descriptor = ({ id, transports }: { id: string; transports: string[] }): PublicKeyCredentialDescriptor => ({
  type: "public-key",
  id: bytes(id),
  transports: transports as AuthenticatorTransport[],
});

/** Whether this browser can use passkeys at all: it needs https, or localhost. */
export const passkeysWork = (): boolean => typeof PublicKeyCredential !== "undefined" && isSecureContext;

/** The person closed the browser's dialog, or it took too long: nothing to complain about. */
export const isCancelled = (error: unknown): boolean => error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError");

/** The authenticator has a passkey of this account already. */
export const isRegistered = (error: unknown): boolean => error instanceof DOMException && error.name === "InvalidStateError";

/** Has the browser make a passkey. */
export async function makePasskey(asked: PasskeyCreation): Promise<Omit<PasskeyForm, "name">> {
  const made = (await navigator.credentials.create({
    publicKey: {
      challenge: bytes(asked.challenge),
      rp: { id: asked.rp_id, name: "Kinora" },
      user: { id: bytes(asked.user_id), name: asked.user_name, displayName: asked.user_display_name },
      pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key" as const, alg })),
      excludeCredentials: asked.exclude.map(descriptor),
      authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
      attestation: "none",
      timeout: asked.timeout_seconds * 1000,
    },
  })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    client_data: text(response.clientDataJSON),
    attestation_object: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  };
}

/** Has the browser sign with a passkey. */
export async function signWithPasskey(asked: PasskeyRequest): Promise<PasskeySignature> {
  const got = (await navigator.credentials.get({
    publicKey: {
      challenge: bytes(asked.challenge),
      rpId: asked.rp_id,
      allowCredentials: asked.allow.map(descriptor),
      userVerification: asked.user_verification_required ? "required" : "preferred",
      timeout: asked.timeout_seconds * 1000,
    },
  })) as PublicKeyCredential;
  const response = got.response as AuthenticatorAssertionResponse;
  return {
    credential_id: text(got.rawId),
    client_data: text(response.clientDataJSON),
    authenticator_data: text(response.authenticatorData),
    signature: text(response.signature),
    user_handle: response.userHandle ? text(response.userHandle) : null,
  };
}

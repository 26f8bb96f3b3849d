/** Links that were opened in this browser, each with a key that it is bound to and that no script can read out: in IndexedDB. */
import type { Bytes } from "../admission/token";

/** `place`: of which page; `link`: the link's name; `used`: when it last admitted, ms since 1970, 0: never. */
export interface Opened {
  id: string;
  place: string;
  link: string;
  secret: string;
  privateKey: CryptoKey;
  publicKey: Bytes;
  used: number;
}

const NAME = "townhall-links";
const LINKS = "links";
const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
/** Links that are kept; beyond it, those go that were not used for the longest time. */
const KEPT_MAX = 100;

/** The link `link` of `place`, with the key of this browser, made at first use. null: this browser cannot keep one. */
export async function opened(place: string, link: string, secret: string): Promise<Opened | null> {
  try {
    const id = `${place}:${link}`;
    const there = await asked("readonly", (store) => store.get(id) as IDBRequest<Opened | undefined>);
    if (there) return there;
    const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
    const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const made: Opened = { id, place, link, secret, privateKey: pair.privateKey, publicKey, used: 0 };
    // Of two tabs that open it at once the second finds the key of the first.
    await asked("readwrite", (store) => store.add(made)).catch(() => undefined);
    const kept = await asked("readonly", (store) => store.get(id) as IDBRequest<Opened | undefined>);
    return kept ?? null;
  } catch {
    return null;
  }
}

/** The link of `place` that was used last in this browser, for an address without a secret. */
export async function lastOpened(place: string): Promise<Opened | null> {
  const all = (await every()).filter((one) => one.place === place && one.secret);
  return all.sort((one, other) => other.used - one.used)[0] ?? null;
}

/** It has admitted: what is known of it now. */
export async function used(link: Opened): Promise<void> {
  try {
    await asked("readwrite", (store) => store.put({ ...link, used: Date.now() }));
    const all = (await every()).sort((one, other) => other.used - one.used);
    for (const one of all.slice(KEPT_MAX)) await forget(one);
    void navigator.storage?.persist?.().catch(() => false);
  } catch {
    // Held in memory then: a reload finds the key that was kept before.
  }
}

export async function forget(link: Opened): Promise<void> {
  await asked("readwrite", (store) => store.delete(link.id)).catch(() => undefined);
}

async function every(): Promise<Opened[]> {
  try {
    return await asked("readonly", (store) => store.getAll() as IDBRequest<Opened[]>);
  } catch {
    return [];
  }
}

async function asked<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(LINKS, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no storage"));
  });
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(LINKS, mode);
      const request = act(transaction.objectStore(LINKS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not stored"));
    });
  } finally {
    database.close();
  }
}

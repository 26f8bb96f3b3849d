/** Where this browser keeps its entries: IndexedDB, which can hold a key that no script can read out. One a town hall. */
import type { Bytes } from "./token";

/** Something that the issuer is to sign unseen, on its way there: what it sees, and what takes the blinding off again. */
export interface Covered {
  /** What is signed, with its random prefix. */
  prepared: Bytes;
  blinded: Bytes;
  inverse: Bytes;
}

/** Shown while waiting for a round, so that whoever waits is counted; each is good for one round. */
export interface WaitingToken {
  prepared: Bytes;
  signature: Bytes;
}

/** An entry to one town hall, from the making of its key to the showing of its token. */
export interface Entry {
  code: string;
  /** The issuer's public key that it was made for; a signature by any other is refused. */
  spki: Bytes;
  privateKey: CryptoKey;
  deviceKey: Bytes;
  /** What is signed, with its random prefix. */
  prepared: Bytes;
  /** On its way to the issuer: what it sees, and what takes the blinding off again. */
  blinded?: Bytes;
  inverse?: Bytes;
  /** The waiting tokens on the same way, and the key that they are made for. */
  waitingSpki?: Bytes;
  waitingCovered?: Covered[];
  signature?: Bytes;
  waiting?: WaitingToken[];
  /** Unix seconds, by the server's clock, at which it was signed. */
  signedAt?: number;
  /** The chat has seen the token: from now on showing it again tells nothing new. */
  shown?: boolean;
}

const NAME = "townhall";
const ENTRIES = "entries";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES, { keyPath: "code" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no storage"));
  });
}

async function done<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(ENTRIES, mode);
      const request = act(transaction.objectStore(ENTRIES));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not stored"));
    });
  } finally {
    database.close();
  }
}

/** The entry to a town hall; null: there is none, or this browser keeps nothing. */
export async function find(code: string): Promise<Entry | null> {
  try {
    return (await done("readonly", (store) => store.get(code) as IDBRequest<Entry | undefined>)) ?? null;
  } catch {
    return null;
  }
}

/** Keep an entry. Throws where this browser keeps nothing. */
export async function keep(entry: Entry): Promise<void> {
  await done("readwrite", (store) => store.put(entry));
  // So that a full disk does not take it; browsers may ask, or refuse.
  void navigator.storage?.persist?.().catch(() => false);
}

/** Whether this browser keeps anything at all. */
export async function keeps(): Promise<boolean> {
  return done("readwrite", (store) => store.delete("")).then(
    () => true,
    () => false,
  );
}

export async function drop(code: string): Promise<void> {
  await done("readwrite", (store) => store.delete(code));
}

/** A printed entry held before the camera: read in this browser alone, which has no address of it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { restoreCode, typed } from "../../admission/portable";
import { t } from "../../i18n";
import { Dialog } from "../../ui/parts";
import { code } from "./enter";

/** Between two looks. */
const LOOK_MS = 150;
/** The longer side of what is looked at: enough for the densest code, and quick on a phone. */
const SIDE_MAX = 1_280;

export function Scan({ issuerKey, onClose }: { issuerKey: string; onClose: () => void }): JSX.Element {
  const said = useSignal("scan_starting");
  const video = useRef<HTMLVideoElement>(null);

  useEffect(() => {
    const ended = new AbortController();
    void look(video.current!, ended.signal, async (text) => {
      const { bytes } = typed(text);
      if (bytes && (await restoreCode(code, issuerKey, bytes))) {
        ended.abort();
        location.reload();
      } else said.value = "entry_not";
    }).then(
      () => undefined,
      (error: unknown) => (said.value = error instanceof DOMException && error.name === "NotAllowedError" ? "scan_refused" : "scan_none"),
    );
    video.current!.addEventListener("playing", () => (said.value = "scan_looking"), { once: true });
    return () => ended.abort();
  }, []);

  const failed = !["scan_starting", "scan_looking"].includes(said.value);
  return (
    <Dialog title={t("audience.restore_scan")} onClose={onClose}>
      <p class="small soft">{t("audience.scan_how")}</p>
      <p class="small soft">{t("audience.restore_own")}</p>
      <video ref={video} class="scan" muted playsInline aria-label={t("audience.scan_picture")} />
      <p role="status" class={failed ? "wrong" : "soft"}>
        {t(`audience.${said.value}`)}
      </p>
      <div class="actions">
        <button class="button" type="button" onClick={onClose}>
          {t("common.cancel")}
        </button>
      </div>
    </Dialog>
  );
}

/** Look until `ended`, when the camera is switched off; `found` is told each text. Throws where there is no camera to look with. */
async function look(video: HTMLVideoElement, ended: AbortSignal, found: (text: string) => Promise<void>): Promise<void> {
  if (!navigator.mediaDevices) throw new DOMException("no camera", "NotFoundError");
  const wanted = { facingMode: "environment", width: { ideal: SIDE_MAX }, height: { ideal: SIDE_MAX } };
  const [stream, { default: decodeQR }] = await Promise.all([navigator.mediaDevices.getUserMedia({ video: wanted }), import("qr/decode.js")]);
  const stop = (): void => stream.getTracks().forEach((track) => track.stop());
  if (ended.aborted) return stop();
  ended.addEventListener("abort", stop, { once: true });
  try {
    video.srcObject = stream;
    await video.play();
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    for (let last = ""; !ended.aborted; await new Promise((done) => setTimeout(done, LOOK_MS))) {
      const text = read(canvas, video, decodeQR);
      if (text && text !== last) await found((last = text));
    }
  } finally {
    stop();
  }
}

type Decode = (typeof import("qr/decode.js"))["default"];

/** What the picture of this moment says; "": there is no code in it. */
function read(canvas: CanvasRenderingContext2D, video: HTMLVideoElement, decodeQR: Decode): string {
  const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight, 1));
  const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
  if (!width || !height) return "";
  Object.assign(canvas.canvas, { width, height });
  canvas.drawImage(video, 0, 0, width, height);
  try {
    return decodeQR({ width, height, data: canvas.getImageData(0, 0, width, height).data });
  } catch {
    return "";
  }
}

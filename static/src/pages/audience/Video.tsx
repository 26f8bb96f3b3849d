import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import type { Video as VideoSetup } from "../../protocol/types";
import { Icon } from "../../ui/parts";

/** A broadcast that has not begun is asked for again after this time. */
const RETRY_MS = 10_000;

/** The broadcast. The player is loaded only here, and an embedded page only when the reader asks for it. */
export function Video({ video }: { video: VideoSetup }): JSX.Element {
  return <div class="video">{video.kind === "hls" ? <Hls url={video.url} /> : <Embedded url={video.url} />}</div>;
}

function Embedded({ url }: { url: string }): JSX.Element {
  const on = useSignal(false);
  if (on.value) {
    return <iframe src={url} title={t("audience.video")} allow="autoplay; fullscreen; picture-in-picture" referrerpolicy="strict-origin-when-cross-origin" />;
  }
  return (
    <div class="poster">
      <p class="small">{t("audience.video_warning", { host: new URL(url).host })}</p>
      <button class="button primary" type="button" onClick={() => (on.value = true)}>
        <Icon name="play" /> {t("audience.watch")}
      </button>
    </div>
  );
}

function Hls({ url }: { url: string }): JSX.Element {
  const ref = useRef<HTMLVideoElement>(null);
  const failed = useSignal(false);
  const tries = useSignal(0);
  useEffect(() => {
    const player = ref.current!;
    let stop: (() => void) | undefined;
    const again = (): void => {
      failed.value = false;
      tries.value++;
    };
    const fail = (): void => {
      failed.value = true;
      clearTimeout(timer);
      timer = setTimeout(again, RETRY_MS);
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Newer Chromiums play HLS too, but tell less of what fails: hls.js wherever it can run, the browser's own elsewhere.
    const fed = "MediaSource" in window || "ManagedMediaSource" in window;
    if (!fed && player.canPlayType("application/vnd.apple.mpegurl")) {
      player.src = url;
      player.addEventListener("error", fail);
      return () => {
        clearTimeout(timer);
        player.removeEventListener("error", fail);
      };
    }
    void import("hls.js").then(({ default: Player }) => {
      const hls = new Player({ enableWorker: false, liveDurationInfinity: true });
      hls.on(Player.Events.ERROR, (_, data) => {
        if (data.fatal) fail();
      });
      hls.loadSource(url);
      hls.attachMedia(player);
      stop = () => hls.destroy();
    });
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [url, tries.value]);
  return (
    <>
      <video ref={ref} controls={!failed.value} muted autoplay playsInline aria-label={t("audience.video")} />
      {failed.value && (
        <div class="poster failed" role="status">
          <p class="small">{t("audience.video_failed")}</p>
        </div>
      )}
    </>
  );
}

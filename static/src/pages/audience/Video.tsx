import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import type { Video as VideoSetup } from "../../protocol/types";
import { Icon } from "../../ui/parts";

/** A broadcast that has not begun is asked for again after this time. */
const RETRY_MS = 10_000;

/** In this tab, and only there: the address that was let play. */
const PLAYED = "townhall-video";
/** No navigation of our page, no forms, no downloads: only what a player needs to run, to fill the screen and to be followed. */
const MAY = "allow-scripts allow-same-origin allow-presentation allow-popups";

/** The broadcast. Its host is asked for nothing, and the player is not even loaded, before the reader presses. */
export function Video({ video }: { video: VideoSetup }): JSX.Element {
  const on = useSignal(sessionStorage.getItem(PLAYED));
  const play = (): void => {
    sessionStorage.setItem(PLAYED, video.url);
    on.value = video.url;
  };
  return <div class="video">{on.value !== video.url ? <Poster url={video.url} play={play} /> : video.kind === "hls" ? <Hls url={video.url} /> : <Embedded url={video.url} />}</div>;
}

function Poster({ url, play }: { url: string; play: () => void }): JSX.Element {
  return (
    <div class="poster">
      <p class="small">{t("audience.video_warning", { host: hostOf(url) })}</p>
      <button class="button primary" type="button" onClick={play}>
        <Icon name="play" /> {t("audience.watch")}
      </button>
    </div>
  );
}

function Embedded({ url }: { url: string }): JSX.Element {
  return <iframe src={url} title={t("audience.video")} sandbox={MAY} allow="autoplay; fullscreen; picture-in-picture" referrerpolicy="strict-origin-when-cross-origin" />;
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
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

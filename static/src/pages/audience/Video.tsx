import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import type { Video as VideoSetup } from "../../protocol/types";
import { Icon } from "../../ui/parts";

/** The broadcast. The player is loaded only here, and an embedded page only when the reader asks for it. */
export function Video({ video }: { video: VideoSetup }): JSX.Element {
  return <div class="video">{video.kind === "hls" ? <Hls url={video.url} /> : <Embedded url={video.url} />}</div>;
}

function Embedded({ url }: { url: string }): JSX.Element {
  const on = useSignal(false);
  if (on.value) {
    return <iframe src={url} title={t("audience.video")} allow="autoplay; fullscreen; picture-in-picture" referrerpolicy="strict-origin-when-cross-origin" allowFullScreen />;
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
  useEffect(() => {
    const player = ref.current!;
    if (player.canPlayType("application/vnd.apple.mpegurl")) {
      player.src = url;
      return undefined;
    }
    let stop: (() => void) | undefined;
    void import("hls.js").then(({ default: Player }) => {
      const hls = new Player({ enableWorker: false, liveDurationInfinity: true });
      hls.on(Player.Events.ERROR, (_, data) => {
        if (data.fatal) failed.value = true;
      });
      hls.loadSource(url);
      hls.attachMedia(player);
      stop = () => hls.destroy();
    });
    return () => stop?.();
  }, [url]);
  return (
    <>
      <video ref={ref} controls muted autoplay playsInline aria-label={t("audience.video")} />
      {failed.value && <p role="status">{t("audience.video_failed")}</p>}
    </>
  );
}

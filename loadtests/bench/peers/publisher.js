// What the Node peers share: the line "P RATE COUNT BATCH" on stdin becomes publish([message, …]); `ts` is when it was due.
const TEXT =
  "이번 인사이동 기준이 부서마다 다르게 적용되는 것 같은데 도지사님 생각을 듣고 싶습니다. 그리고 구내식당 메뉴도 조금 개선되면 좋겠습니다 부탁드립니다";

function message(number, due) {
  return { id: String(number).padStart(20, "0"), room: "demo", nick: "익명-0421", text: TEXT, ts: Math.floor(due) };
}

function run(rate, count, batch, publish) {
  const began = Number(process.hrtime.bigint());
  const passed = () => (Number(process.hrtime.bigint()) - began) / 1e9;
  let sent = 0;
  (function step() {
    if (sent < count && passed() * rate >= sent) {
      const size = Math.min(batch, count - sent);
      const due = began + (sent / rate) * 1e9;
      publish(Array.from({ length: size }, (_, place) => message(sent + place, due)));
      sent += size;
    }
    if (sent >= count) return void console.log(`DONE ${count}`);
    const wait = (sent / rate - passed()) * 1000;
    wait > 1 ? setTimeout(step, wait) : setImmediate(step);
  })();
}

exports.obey = (publish) => {
  let rest = "";
  process.stdin.on("data", (data) => {
    const lines = (rest + data).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const [word, rate, count, batch] = line.split(" ");
      if (word === "P") run(Number(rate), Number(count), Number(batch), publish);
    }
  });
  process.stdin.on("end", () => process.exit(0));
  console.log("UP");
};

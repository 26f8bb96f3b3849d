// A certified OpenID Connect provider (oidc-provider), as the tests start it: `node provider.mjs REDIRECT_URI`.
// Prints its address. Whoever signs in is who they say they are; `GROUPS` in the environment says who is in which group, `NAMES`
// what they are called.
import { createRequire } from "node:module";
import { once } from "node:events";
import { createServer } from "node:http";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { Provider } = await import(require.resolve("oidc-provider"));

const [, , redirect] = process.argv;
const groups = JSON.parse(process.env.GROUPS ?? "{}");
const names = JSON.parse(process.env.NAMES ?? "{}");
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://localhost:${server.address().port}`;
console.warn = console.info = () => undefined;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "townhall",
      client_secret: "a-secret-of-the-tests",
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      // http is for these tests on the loopback alone.
      application_type: "native",
    },
  ],
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ["a key of the tests"] },
  features: { devInteractions: { enabled: true } },
  async findAccount(_, id) {
    return {
      accountId: id,
      claims: async () => ({ sub: id, name: names[id], email: `${id}@town.example.org`, email_verified: !id.startsWith("unverified"), groups: groups[id] ?? ["staff"] }),
    };
  },
});
server.on("request", provider.callback());
console.log(issuer);

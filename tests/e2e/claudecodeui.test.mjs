// claudecodeui instances as a person sees and commands them, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible, assertNoProblems, openBrowser, shot, shown, signInPage, startHub, startInstance } from "../support/index.mjs";
import { confirm } from "./lib/ui.mjs";

test("instances come, are commanded and go on pages that nobody reloads", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const { token } = await hub.token("instances", "claudecodeui");
  const { page, another } = await openBrowser(t);
  await signInPage(page, hub);
  await page.goto(`${hub.url}/clients`);
  await page.locator("#live").waitFor({ state: "attached" });
  const strip = await another();
  await signInPage(strip, hub);
  await strip.goto(`${hub.url}/dashboard`);

  const instance = await startInstance(hub, api, { token, metadata: { hostname: "atlas", project: "/src/shop" } });
  const { client } = await shown(api, instance, (client) => client);
  const row = page.locator(`#client-${client}`);
  await row.getByText("Active").waitFor();
  for (const word of ["shop", "atlas", "1.8.12"]) assert.ok((await row.innerText()).includes(word), word);
  await strip.locator(`#runner-${client}`).getByText("Active").waitFor();
  await assertAccessible(page);
  await shot(page, "clients-instances");

  await row.getByRole("link", { name: "shop" }).click();
  await page.waitForURL(`${hub.url}/clients/${client}`);
  const card = page.locator("#client");
  for (const word of ["atlas", "/src/shop", "1.8.12", instance.clientId]) await card.getByText(word, { exact: true }).waitFor();
  await assertAccessible(page);
  await shot(page, "client-instance");

  // What it is at shows when it says so, and when it is asked.
  instance.status("busy");
  await card.locator('.status[data-status="working"]', { hasText: "Busy" }).waitFor();
  instance.metadata.status = "idle";
  await card.getByRole("button", { name: "Refresh status" }).click();
  assert.equal((await instance.next("command")).command, "refresh_status");
  await card.locator(".status", { hasText: "Idle" }).waitFor();
  await strip.locator(`#runner-${client}`).getByText("Idle").waitFor();

  // An eviction of everything in between is seen by nobody.
  await hub.evict();
  instance.status("active");
  await card.locator(".status", { hasText: "Active" }).waitFor();

  await card.getByRole("button", { name: "Disconnect" }).click();
  await confirm(page);
  assert.equal((await instance.next("command")).command, "disconnect");
  await card.locator(".status", { hasText: "Offline" }).waitFor();
  assert.deepEqual(await card.getByRole("button").allInnerTexts(), ["Forget it"], "nothing to command");
  await strip.locator(`#runner-${client}`).waitFor({ state: "detached" });

  // It comes back under its name, and its machine dies.
  const again = await startInstance(hub, api, { token, clientId: instance.clientId });
  await card.locator(".status", { hasText: "Active" }).waitFor();
  again.vanish();
  await card.locator(".status", { hasText: "Offline" }).waitFor();
  await shot(page, "client-instance-offline");

  // Forgetting is asked for twice, and leads to the list.
  await card.getByRole("button", { name: "Forget it" }).click();
  await confirm(page);
  await page.waitForURL(`${hub.url}/clients`);
  await page.locator("#clients").waitFor();
  assert.equal(await row.count(), 0);
  await assertNoProblems(page);
  await assertNoProblems(strip);
});

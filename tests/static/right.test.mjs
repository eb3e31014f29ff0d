// What a right lets a viewer do, and what they are told. The words of rights are the wire's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { wouldType } from "../../static/terminal/answers.mjs";
import { socketAddress } from "../../static/terminal/connection.mjs";
import { Standing, mayAnswer, mayDrive, refusalOf, rightOf, standingOf, whyOf } from "../../static/terminal/right.mjs";

const RIGHTS = ["viewer", "prompter", "approver", "driver", "owner"];

test("rights are the protocol's, each with more than the one before it", () => {
  const source = readFileSync(new URL("../../crates/protocol/src/right.rs", import.meta.url), "utf8");
  const words = [...source.matchAll(/Right::\w+ => "(\w+)"/g)].map(([, word]) => word);
  assert.deepEqual(words, RIGHTS);
  assert.deepEqual(words.map(rightOf), words);
  assert.deepEqual(RIGHTS.filter(mayDrive), ["driver", "owner"]);
  assert.deepEqual(RIGHTS.filter(mayAnswer), ["approver", "driver", "owner"]);
});

test("a hub that names no right means its owner, and a right of tomorrow may only watch", () => {
  assert.equal(rightOf(undefined), "owner");
  for (const word of ["superdriver", "", null]) assert.equal(rightOf(word), "viewer", `${word}`);
});

test("an answer passes only to a question, on a connection that stands", () => {
  for (const right of RIGHTS) {
    const standing = new Standing(right);
    assert.equal(standing.mayType, mayDrive(right), "a driver's keys are kept, nobody else's are");
    standing.isAsked = true;
    assert.equal(standing.mayType, mayDrive(right));
    standing.isAttached = true;
    assert.equal(standing.mayType, mayAnswer(right));
    standing.isOnline = false;
    assert.equal(standing.mayType, mayDrive(right), "the runner is away");
  }
});

test("everybody hears what they may do, and from whom", () => {
  assert.equal(whyOf("viewer", "Ann"), "You watch: Ann shared this session with you to watch.");
  for (const right of RIGHTS.slice(0, 4)) assert.match(whyOf(right, "Ann"), /^You .*Ann shared this session with you/);
  assert.equal(standingOf("viewer", false), "You watch");
  assert.equal(standingOf("prompter", false), "You watch and prompt");
  assert.notEqual(standingOf("approver", true), standingOf("approver", false));
  assert.equal(refusalOf("viewer", "Ann", true), whyOf("viewer", "Ann"));
  assert.match(refusalOf("approver", "Ann", true), /now it does not/);
  assert.match(refusalOf("approver", "Ann", false), /not kept/);
});

test("keys that would type are told from keys of the browser", () => {
  const key = (key, more) => wouldType({ key, ctrlKey: false, altKey: false, metaKey: false, ...more });
  for (const each of ["a", "€", " ", "Enter", "Backspace", "Escape", "ArrowUp"]) assert.ok(key(each), each);
  for (const each of ["Tab", "Shift", "Control", "F5", "PageUp", "Home", "Dead"]) assert.ok(!key(each), each);
  assert.ok(key("C", { ctrlKey: true }));
  assert.ok(key("@", { ctrlKey: true, altKey: true }), "a third level");
  assert.ok(!key("r", { ctrlKey: true }));
  assert.ok(!key("c", { metaKey: true }));
});

test("the socket is to the hub whose session it is", () => {
  assert.equal(socketAddress("https://muster.example/sessions/3-7", "3"), "wss://muster.example/ws/connect?hub=3");
  for (const own of ["", undefined]) assert.equal(socketAddress("http://127.0.0.1:8787/sessions/7?x=1", own), "ws://127.0.0.1:8787/ws/connect");
});

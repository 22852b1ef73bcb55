// The whole contract, by what openapi-typescript has made of the schema.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Status = components["schemas"]["StatusDocument"];
type Mode = components["schemas"]["GenerateRequest"]["mode"];

const { MADSEA, TOKEN, PICTURE } = process.env as Record<string, string>;
const client = createClient<paths>({
  baseUrl: MADSEA,
  headers: { Authorization: `Token ${TOKEN}` },
});

async function asked(mode: Mode): Promise<string> {
  const { data, error } = await client.POST("/api/generate_ai_concept", {
    body: {
      project_id: "madsea-2025-ep202",
      episode: "E202",
      season: "S02",
      sequences: [{ sequence_id: "SQ0010", plans: ["0010", "0020"] }],
      style: "ombres_chinoises",
      workflow_json: "Silhouette.json",
      mode,
    },
  });
  // A dry run answers something else: only what was really asked for is a batch.
  assert(data && "batch_id" in data, JSON.stringify(error));
  return data.batch_id;
}

async function followed(batch_id: string): Promise<Status> {
  let tag: string | undefined;
  for (let n = 0; n < 600; n++) {
    const { data, response } = await client.GET("/api/generate_ai_concept/status", {
      params: { query: { batch_id }, header: tag ? { "If-None-Match": tag } : {} },
    });
    tag = response.headers.get("ETag") ?? tag;
    if (response.status !== 304) {
      assert(data);
      if (data.status === "done") return data;
    }
    await sleep(200);
  }
  throw new Error("not done");
}

// A file is a string of bytes to OpenAPI; a form takes it as a blob.
const picture = new Blob([new Uint8Array(await readFile(PICTURE!))], { type: "image/png" }) as unknown as string;
const asForm = (body: Record<string, unknown>): FormData => {
  const form = new FormData();
  for (const [name, value] of Object.entries(body)) form.append(name, value as string | Blob);
  return form;
};

async function drawn(): Promise<void> {
  const place = { project_id: "madsea-2025-ep202", season: "S02", episode: "E202" };
  const { data, error } = await client.POST("/api/panels", {
    body: { ...place, sequence_id: "SQ0010", plan: "0020", file: picture },
    bodySerializer: asForm,
  });
  assert(data, JSON.stringify(error));
  assert.equal(data.task, "extracted-raw");
}

async function rendered(): Promise<void> {
  const batch_id = await asked("auto");
  const document = await followed(batch_id);
  assert.deepEqual(document.plans.map((plan) => plan.status), ["done", "done"]);
  const { data } = await client.GET("/api/batches/{batch_id}/logs", { params: { path: { batch_id } } });
  assert(data && data.results[0]);
  assert.equal(data.results[0].level, "info");
}

async function madeByHand(): Promise<void> {
  const batch_id = await asked("manuel");
  const { data: version, error } = await client.POST("/api/generate_ai_concept/upload", {
    body: { batch_id, sequence_id: "SQ0010", plan: "0010", file: picture },
    bodySerializer: asForm,
  });
  assert(version, JSON.stringify(error));
  assert.equal(version.origin, "upload");
  const { data: stopped } = await client.POST("/api/generate_ai_concept/cancel", { body: { batch_id } });
  assert.deepEqual(stopped?.plans.map((plan) => plan.status), ["done", "cancelled"]);
  const { data: again } = await client.POST("/api/generate_ai_concept/retry", {
    body: { batch_id, sequence_id: "SQ0010", plan: "0020" },
  });
  assert.equal(again?.plans[1]?.status, "waiting");
}

async function waitedFor(): Promise<void> {
  const batch_id = await asked("auto");
  const { data: paused } = await client.PATCH("/api/batches/{batch_id}", {
    params: { path: { batch_id } },
    body: { paused: true },
  });
  assert.equal(paused?.paused, true);
  const { data: page } = await client.GET("/api/queue", { params: { query: { batch_id } } });
  assert(page && Number.isInteger(page.count) && typeof page.reasons === "object");
  const { error } = await client.POST("/api/generate_ai_concept/cancel", { body: { batch_id: "nowhere" } });
  assert.equal(error?.code, "unknown_batch");
}

await drawn();
await rendered();
await madeByHand();
await waitedFor();

// The OpenAI SDK for Node: plain, streaming, a tool call, Responses. Prints what it got as one JSON object.
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "Say hello." }];
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      description: "The weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

const plain = await client.chat.completions.create({ model: "", messages });

let streamed = "";
for await (const chunk of await client.chat.completions.create({ model: "", messages, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
}

const called = await client.chat.completions.create({ model: "", messages, tools, tool_choice: "required" });
const routed = await client.chat.completions.create({
  model: "policy:mine",
  messages,
  policy_ir: ["policy", ["provider_eq", "mistral"], ["zero"], ["argmax"], ["id"], ["always", { action: "abort" }]],
});
const response = await client.responses.create({ model: "", input: "Say hello." });

const events = [];
for await (const event of await client.responses.create({ model: "", input: "Say hello.", stream: true })) {
  events.push(event.type);
}

let refusal = null;
try {
  await client.chat.completions.create({ model: "gpt-4o", messages });
} catch (error) {
  refusal = [error.constructor.name, error.status, error.code];
}

const models = await client.models.list();
console.log(
  JSON.stringify({
    plain: plain.choices[0].message.content,
    total: plain.usage.total_tokens,
    streamed,
    tool: called.choices[0].message.tool_calls[0].function.name,
    provider: routed.x_router.provider,
    response: response.output_text,
    events,
    refusal,
    models: models.data.length,
  }),
);

// The Vercel AI SDK with its OpenAI-compatible provider: text, a stream, a tool. Prints what it got as one JSON object.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText, tool } from "ai";
import { z } from "zod";

const [baseURL, apiKey] = process.argv.slice(2);
const provider = createOpenAICompatible({ name: "workbench", baseURL, apiKey, includeUsage: true });
const model = provider("profile:default");

const plain = await generateText({ model, prompt: "Say hello.", maxRetries: 0 });

const stream = streamText({ model, prompt: "Say hello.", maxRetries: 0 });
let streamed = "";
for await (const part of stream.textStream) streamed += part;

let asked = null;
const called = await generateText({
  model,
  maxRetries: 0,
  prompt: "What is the weather in Rome?",
  toolChoice: "required",
  tools: {
    weather: tool({
      description: "The weather of a city.",
      inputSchema: z.object({ city: z.string() }),
      execute: async (input) => {
        asked = input;
        return "sunny";
      },
    }),
  },
});

let refusal = null;
try {
  await generateText({ model: provider("gpt-4o"), prompt: "x", maxRetries: 0 });
} catch (error) {
  refusal = error.statusCode;
}

console.log(
  JSON.stringify({
    plain: plain.text,
    finish: plain.finishReason,
    total: plain.usage.totalTokens,
    streamed,
    tools: called.toolCalls.map((call) => call.toolName),
    asked,
    refusal,
  }),
);

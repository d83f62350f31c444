/** A prompt that is too long: the advice helps with the part that makes it long. */
import { ServerError } from '../../../lib/errors/server-error';
import { forgetAll } from '../../../lib/kept';
import { reply } from '../../simulators/llama-server';
import { HumanMessage, openAiTool, useChatModel } from '../../support/n8n/chat-model';

const { server, supplied } = useChatModel();
beforeEach(forgetAll);

async function getDescription(message: string, text: string, tools: unknown[] = []) {
	const refusal = reply.error(400, { error: { message } });
	server().script(refusal, refusal);
	const { model } = await supplied();
	const bound = tools.length > 0 ? model.bindTools(tools) : model;
	try {
		await bound.invoke([new HumanMessage(text)]);
	} catch (error) {
		if (error instanceof ServerError) return error.suggestion;
		const { description, context } = error as {
			description?: string;
			context?: { descriptionTemplate?: string };
		};
		// In a chat, the panel has all of it.
		return `${description} ${context?.descriptionTemplate ?? ''}`;
	}
	throw new Error('no error');
}

const SUM =
	"This model's maximum context length is 8192 tokens. However, you requested 8204 tokens (12 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.";
const DIFFERENCE =
	"max_tokens or max_completion_tokens is too large: 8192. This model's maximum context length is 8192 tokens and your request has 12 input tokens (8192 > 8192 - 12).";
const TOTAL =
	"Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 8204 tokens: 12 tokens from the input messages and 8192 tokens for the completion.";

test.each([SUM, DIFFERENCE, TOTAL])('only the response is too long: %s', async (message) => {
	const description = await getDescription(message, 'hello');
	expect(description).toContain('Lower Maximum Tokens to at most 8180.');
	expect(description).not.toMatch(/--ctx-size|History Budget|memory/);
});

test.each([
	['the input', 'word '.repeat(9_000), [], /the input \(45 kB\): shorten it/],
	[
		'the definitions of tools',
		'Hi',
		Array.from({ length: 9 }, (_none, at) =>
			openAiTool(`tool_${at}`, { city: { type: 'string', description: 'word '.repeat(900) } }),
		),
		/the definitions of 9 tools \(4\d kB\): use fewer tools/,
	],
] as const)('%s makes it long', async (_name, text, tools, says) => {
	const message =
		"The input (9500 tokens) is longer than the model's context length (8192 tokens).";
	const description = await getDescription(message, text, [...tools]);
	expect(description).toMatch(/This model supports at most 8192 tokens/);
	expect(description).toMatch(says);
	expect(description).not.toMatch(/History Budget/);
});

test('advice is never below the present limit', async () => {
	for (const prompt of [12, 7_000, 8_191, 8_192, 8_193]) {
		const message = `The prompt has ${prompt} tokens and leaves no room in the context length of 8192 tokens`;
		const description = await getDescription(message, 'hello');
		const [, size = '8193'] = /--ctx-size (\d+)/.exec(description) ?? [];
		expect([prompt, Number(size) > 8192]).toEqual([prompt, true]);
	}
});

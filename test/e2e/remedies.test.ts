/** Follows what an error says on the real llama-server: the failure is gone then. */
import { ChatClient } from '../../lib/chat/client';
import type { ChatSettings } from '../../lib/chat/request/request';
import { describe as describeError } from '../../lib/errors/description';
import { ServerError } from '../../lib/errors/server-error';
import { closeChannels } from '../../lib/http/dispatcher';
import { connectTo } from '../../lib/servers/connect';
import { startLlamaServer, stopEverything, tinyModel } from './support/playground';

const PROMPT = 'word '.repeat(1800);
const SETTINGS: ChatSettings = {
	model: '',
	parameters: { maxTokens: 4 },
	serverKind: 'llamaServer',
	reasoningEcho: 'off',
	showThinking: false,
	limits: {},
	retries: 0,
};

afterAll(async () => {
	await stopEverything();
	await closeChannels();
});

/** Starts a llama-server with these options and asks it. @returns the text of the error, if any */
async function failureWith(model: string, args: string[]): Promise<string | undefined> {
	const server = await startLlamaServer({ model, args });
	const settings = { ...SETTINGS, model: server.model };
	const answer = new ChatClient(connectTo({ baseUrl: server.url }), settings).generate({
		messages: [{ type: 'human', content: PROMPT }],
	});
	const toText = (error: unknown) =>
		error instanceof ServerError ? describeError(error) : String(error);
	const text = await readToEnd(answer).then(() => undefined, toText);
	await server.stop();
	return text;
}

async function readToEnd(answer: AsyncGenerator<unknown, unknown>): Promise<void> {
	while ((await answer.next()).done !== true);
}

/** Options of llama-server that a text recommends first. */
function recommendedOptions(text: string): string[] {
	const command = /Start llama-server with (--ctx-size \d+(?: --kv-unified)?)/.exec(text)?.[1];
	if (command === undefined) throw new Error(`no command in: ${text}`);
	return command.split(' ');
}

it.each([[['--parallel', '1']], [['--parallel', '2']], [['--parallel', '8']], [[]]])(
	'a prompt that is too long for llama-server %j: its advice leads out at once',
	async (slots) => {
		const model = await tinyModel({ contextLength: 32_768 });
		const text = await failureWith(model, ['--ctx-size', '8192', ...slots]);
		expect(text).toContain('The prompt needs');
		expect(await failureWith(model, [...recommendedOptions(text!), ...slots])).toBeUndefined();
	},
);

it('a prompt that is longer than the model reads: no option of the server is recommended', async () => {
	const model = await tinyModel({ contextLength: 4096 });
	const text = await failureWith(model, ['--ctx-size', '4096', '--parallel', '1']);
	expect(text).toContain('This model reads at most 4096 tokens');
	expect(text).not.toContain('--ctx-size');
});

/** The OpenAI client that comes with n8n, and the program of docs/docker that types answers to it. */
import { childProcess, createRequire, path, process } from '../../support/node';
import { parts } from './playground';
import { after } from './run-examples';

interface Completion {
	choices: Array<{ message: { content: string }; finish_reason: string }>;
	usage: Record<'prompt_tokens' | 'completion_tokens' | 'total_tokens', number>;
}

interface Chunk {
	choices: Array<{ delta: { content?: string }; finish_reason: string | null }>;
	usage?: Completion['usage'];
}

interface Question {
	model: string;
	messages: object[];
	stream_options?: { include_usage: boolean };
}

/** What is used of it here. Failed requests reject with `status` and `message`. */
export interface OpenAiClient {
	models: { list(): Promise<{ data: Array<{ id: string; object: string }> }> };
	chat: {
		completions: {
			create(question: Question & { stream: true }): Promise<AsyncIterable<Chunk>>;
			create(question: Question): Promise<Completion>;
		};
	};
}

export function openAi(baseURL: string, apiKey: string): OpenAiClient {
	const fromN8n = createRequire(path.join(parts().n8n.folder, 'package.json'));
	const { OpenAI } = fromN8n('openai') as {
		OpenAI: new (options: { baseURL: string; apiKey: string }) => OpenAiClient;
	};
	return new OpenAI({ baseURL, apiKey });
}

/**
 * Starts docs/docker/openai-stream.mjs.
 *
 * @param webhooks where the example's webhooks begin
 * @returns where it listens
 */
export async function startTyping(webhooks: string): Promise<string> {
	const program = childProcess.spawn(process.execPath, ['docs/docker/openai-stream.mjs'], {
		env: { ...process.env, N8N_WEBHOOKS: webhooks, PORT: '0' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const ended = new Promise((resolve) => program.once('exit', resolve));
	after(async () => {
		program.kill();
		await ended;
	});
	for await (const said of program.stdout) {
		const place = /Listening on (\S+)/.exec(String(said))?.[1];
		if (place !== undefined) return `http://${place}`;
	}
	throw new Error('docs/docker/openai-stream.mjs ended before it listened');
}

/** The OpenAI client that comes with n8n. */
import { createRequire, path } from '../../support/node';
import { parts } from '../../e2e/support/playground';

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

/** The parts of it that tests use. Failed requests reject with `status` and `message`. */
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

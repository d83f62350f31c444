/** Reads raw chat answers, for the tests of simulators. */
import type { RawAnswer } from './raw-client';
import { sseJson } from './streams';

export const CHAT = '/v1/chat/completions';
export const HI = [{ role: 'user', content: 'Hi' }];

export interface WireDelta {
	role?: string;
	content?: string | null;
	reasoning_content?: string;
	tool_calls?: Array<{
		index?: number;
		id?: string;
		type?: string;
		function?: { name?: string; arguments?: unknown };
	}>;
}

export interface WireChunk {
	choices: Array<{ index: number; delta: WireDelta; finish_reason: string | null }>;
	usage?: {
		prompt_tokens: number;
		completion_tokens: number;
		prompt_tokens_details?: { cached_tokens: number };
	};
	timings?: Record<string, number>;
	prompt_progress?: object;
}

/** The body of an answer in one piece. */
export const jsonOf = ({ body }: RawAnswer): Record<string, unknown> =>
	JSON.parse(body.toString()) as Record<string, unknown>;

/** The inside of llama-server's error envelope. */
export const errorOf = (answer: RawAnswer): { code: number; message: string; type: string } =>
	jsonOf(answer).error as { code: number; message: string; type: string };

export const headerOf = ({ headers }: RawAnswer, name: string): string | undefined =>
	headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];

export const chunksOf = ({ body }: RawAnswer): WireChunk[] => sseJson<WireChunk>(body);

/** The content deltas of a stream, joined. */
export const textOf = (answer: RawAnswer): string =>
	chunksOf(answer)
		.map(({ choices }) => choices?.[0]?.delta?.content ?? '')
		.join('');

export const finishesOf = (answer: RawAnswer): Array<string | null | undefined> =>
	chunksOf(answer)
		.map(({ choices }) => choices?.[0]?.finish_reason)
		.filter(Boolean);

/** `wait` resolves when the test calls `open`. */
export const gate = (): { wait: Promise<void>; open: () => void } => {
	let open = (): void => undefined;
	const wait = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { wait, open: () => open() };
};

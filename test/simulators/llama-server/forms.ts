/** Generations on chat and text routes. */
import type { Write } from '../http-server';
import { defaultAnswer } from './default-answer';
import {
	chatCompletion,
	chatStream,
	ollamaCompletion,
	ollamaStream,
	textCompletion,
	textStream,
} from './generate';
import type { Job, Json } from './generate';
import type { Profile } from './options';
import { reply } from './reply';
import type { GenerationReply } from './reply';

/** The form of a generation on one route. */
export interface Form {
	contentType: string;
	streamsByDefault: boolean;
	stream(job: Job): AsyncGenerator<Write>;
	whole(job: Job): object;
	defaultReply(body: Json): GenerationReply;
}

const CHAT: Form = {
	contentType: 'text/event-stream',
	streamsByDefault: false,
	stream: chatStream,
	whole: chatCompletion,
	defaultReply: defaultAnswer,
};
const TEXT: Form = {
	contentType: 'text/event-stream',
	streamsByDefault: false,
	stream: textStream,
	whole: textCompletion,
	defaultReply: ({ prompt }) =>
		reply.text(` and so on after ${[prompt].flat().join('').split(' ').at(-1) ?? ''}`),
};
const OLLAMA_CHAT: Form = {
	contentType: 'application/x-ndjson',
	streamsByDefault: true,
	stream: ollamaStream,
	whole: ollamaCompletion,
	defaultReply: defaultAnswer,
};

export function formOf(route: string, profile: Profile): Form | undefined {
	const isLlama = profile === 'llama-server' || profile === 'router';
	if (route === 'POST /v1/chat/completions') return CHAT;
	if (route === 'POST /v1/completions' && isLlama) return TEXT;
	if (route === 'POST /api/chat' && profile === 'ollama') return OLLAMA_CHAT;
	return undefined;
}

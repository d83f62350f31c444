/** What operations send, with values that a server may reject. */
import { COMPLETION_FIELDS, getChatFields } from '../../../lib/chat/body/generation-fields';
import type { RequestField } from '../../../lib/exchange/request-fields';
import { CLASSIFY_FIELDS } from '../../../lib/tasks/classify-request';
import { EMBED_FIELDS } from '../../../lib/tasks/embed';
import { GENERATE_FIELDS } from '../../../lib/tasks/generate-images';
import { RERANK_FIELDS } from '../../../lib/tasks/rerank';
import { SPEECH_FIELDS } from '../../../lib/tasks/synthesize-speech';
import { TRANSCRIPTION_FIELDS } from '../../../lib/tasks/transcribe';
import type { JsonRecord } from '../../../lib/values/records';

/** A text that is too long for some servers. */
export const LONG: string = 'x'.repeat(5_000);

/** By the name of the operation: its rows, and a body. */
export const OPERATIONS: Readonly<
	Record<string, { rows: readonly RequestField[]; body: JsonRecord }>
> = {
	Speak: {
		rows: SPEECH_FIELDS,
		body: { input: LONG, voice: 'nova', response_format: 'flac', speed: 9, instructions: LONG },
	},
	'Generate Images': {
		rows: GENERATE_FIELDS,
		body: { prompt: LONG, n: 9, size: '7x7', output_format: 'webp', seed: 9 },
	},
	Transcribe: {
		rows: TRANSCRIPTION_FIELDS,
		body: {
			response_format: 'srt',
			language: 'xx',
			prompt: LONG,
			temperature: 9,
			'timestamp_granularities[]': ['word'],
		},
	},
	Embed: { rows: EMBED_FIELDS, body: { input: ['a', LONG], dimensions: 9, keep_alive: 'never' } },
	Rerank: { rows: RERANK_FIELDS, body: { query: LONG, documents: ['a', LONG] } },
	Complete: {
		rows: COMPLETION_FIELDS,
		body: { prompt: LONG, temperature: 9, top_p: 9, max_tokens: 9, seed: 9, stop: ['a'] },
	},
	Classify: { rows: CLASSIFY_FIELDS, body: { temperature: 9, max_tokens: 9, num_ctx: 9 } },
	Chat: {
		rows: getChatFields({}),
		body: { temperature: 9, top_k: 9, min_p: 9, presence_penalty: 9, reasoning_effort: 'high' },
	},
};

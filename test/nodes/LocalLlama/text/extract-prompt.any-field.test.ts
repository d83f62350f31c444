/** The schema of each field of Extract, as it is sent and as it is checked; and counts and times beside a result. */
import {
	buildExtractMessages,
	buildObjectSchema,
	buildValidationSchema,
} from '../../../../nodes/LocalLlama/text/extract-prompt';
import { convertMessages } from '../../../../lib/chat/prepare/convert-messages';
import type { FieldType } from '../../../../nodes/LocalLlama/text/extract-prompt';
import { toMetadata, toUsageMetadata } from '../../../../nodes/LocalLlama/text/result-metadata';
import { expectApproved } from '../../../support/approved/approved-table';
import { combine } from '../../../support/approved/outcome';
import path from 'node:path';
import { toInput, toShort } from '../../../support/texts/messages';

const TYPES: FieldType[] = ['text', 'number', 'integer', 'boolean', 'date', 'list', 'choice'];

test('each type of a field, required or not, with and without a description', () => {
	const fields = combine({
		type: TYPES,
		required: [true, false],
		description: [undefined, ' ', ' What it is '],
	});
	const rows = fields.map(({ type, required, description }) => {
		const field = {
			name: 'f',
			type,
			required,
			choices: ['a', 'b'],
			...(description !== undefined && { description }),
		};
		const sent = buildObjectSchema([field, { name: 'g', type: 'text', required: false }]);
		const { required: checked } = buildValidationSchema([
			field,
			{ name: 'g', type: 'text', required: false },
		]);
		return {
			input: `${type}, required ${required}, "${description}"`,
			outcome: [sent.properties.f, sent.required, checked],
		};
	});
	const messages = ['', ' Be brief. '].map((instructions) => ({
		input: `instructions "${instructions}"`,
		outcome: toShort(
			convertMessages(
				buildExtractMessages(
					{
						schema: { type: 'object' },
						schemaOrigin: 'author',
						instructions: { text: instructions, origin: 'author' },
					},
					toInput({ type: 'human', content: 'T' }),
				),
				'never',
			),
		),
	}));
	expectApproved(
		path.join(__dirname, 'extract-prompt.any-field.approved.txt'),
		[...rows, ...messages],
		'A field of Extract has the schema of its type',
	);
});

test('usage and timings of a result', () => {
	const usages = [
		undefined,
		{ promptTokens: 3, completionTokens: 0, totalTokens: 3 },
		{ promptTokens: 3, cachedTokens: 0 },
	];
	const timings = [
		undefined,
		{
			cache_n: 2,
			prompt_n: 1,
			prompt_ms: 12.3456,
			prompt_per_second: 81.0049,
			predicted_per_token_ms: 3,
		},
	];
	const rows = combine({ usage: usages, timing: timings, reasoning: ['', 'Hm'] }).map(
		({ usage, timing, reasoning }) => {
			const metadata = toMetadata({
				usage,
				timings: timing,
				reasoning,
				finishReason: 'stop',
				model: 'm',
				serverType: 'ollama',
				timesPreempted: 0,
			} as never);
			return {
				input: JSON.stringify({ usage, timing, reasoning }),
				outcome: [toUsageMetadata({ usage, timings: timing } as never), metadata],
			};
		},
	);
	expectApproved(
		path.join(__dirname, 'extract-prompt.any-field.metadata.approved.txt'),
		rows,
		'Usage and timings are those of the server',
	);
});

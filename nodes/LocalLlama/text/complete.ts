import { assertTextLength } from '../../../lib/errors/text-limits';
import type { CompleteSettings, Prompt } from '../../../lib/tasks/complete';
import { completeText } from '../../../lib/tasks/complete';
import { isUnset } from '../../../lib/values/records';
import { COMPLETION_PROMPT } from '../../../lib/chat/body/generation-fields';
import type { FieldTable } from '../../../lib/fields/field';
import {
	createEmptyFieldError,
	createFieldError,
	quoteValue,
} from '../../../lib/fields/field-errors';
import { modelField } from '../../shared/fields/model-selection';
import type { LocalLlamaOperation } from '../run-local-llama';
import type { ResultItem } from '../output';
import { itemOptionsField } from '../operation-fields';
import { withOutput } from '../output';
import { reportResult, resolveTextSettings } from './generate-text';
import { toUsageMetadata } from './result-metadata';
import { textOptions } from './text-fields';

const fields = {
	model: modelField('The model that continues the text'),
	prompt: {
		...COMPLETION_PROMPT,
		agent: {
			name: 'prompt',
			description: 'The beginning of a text to continue, not a question or an instruction',
		},
	},
	options: itemOptionsField({
		...textOptions,
		n: {
			kind: 'number',
			label: 'Completions per Prompt',
			default: 2,
			range: [1, 100],
			isInteger: true,
			description:
				'How many texts to generate per prompt. With a seed, each further completion uses the next seed.',
		},
	}),
} as const satisfies FieldTable;

export const textComplete: LocalLlamaOperation = withOutput({
	name: 'Complete',
	value: 'complete',
	action: 'Complete a text',
	description: 'Continue a text without the chat template of the model',
	fields,
	execute: async (call) => {
		const { values, server, chatStream } = call;
		const { n: count = 1 } = values.options;
		const prompts = toPrompts(values.prompt);
		const settings = await resolveTextSettings(call);
		await chatStream?.begin();
		const onDelta = chatStream ? async (delta: string) => await chatStream.write(delta) : undefined;
		const items: ResultItem[] = [];
		for (const [index, prompt] of prompts.entries()) {
			for (let copy = 0; copy < count; copy++) {
				if (items.length > 0) await chatStream?.write('\n\n');
				const copySettings = withSeedOffset(settings, copy);
				const startedAt = performance.now();
				const completion = await completeText(server, copySettings, { prompt, onDelta });
				if (!completion.text) completion.warnings = [describeEmpty(completion.finishReason)];
				reportResult(call, completion);
				const { text: output, finishReason, model, server: serverType } = completion;
				const metadata = {
					promptIndex: prompts.length > 1 ? index : undefined,
					finishReason: finishReason === 'unknown' ? undefined : finishReason,
					...toUsageMetadata(completion),
					model,
					server: serverType,
				};
				items.push({ output, metadata, milliseconds: performance.now() - startedAt });
			}
		}
		return items;
	},
});

/** A model often ends at once if the prompt is a complete sentence (SmolLM2-135M after "What is a llama?"). */
function describeEmpty(finishReason: string | undefined): string {
	return finishReason === 'stop'
		? 'The model ended without generating text. For questions and instructions, use Chat.'
		: 'The model generated no text.';
}

/** Increments the seed, if set, for each further completion. */
function withSeedOffset(settings: CompleteSettings, copy: number): CompleteSettings {
	const { seed = -1 } = settings.sampling;
	if (seed < 0) return settings;
	return { ...settings, sampling: { ...settings.sampling, seed: seed + copy } };
}

/** One or several prompts. A list of numbers is one prompt as tokens. */
function toPrompts(value: unknown): Prompt[] {
	const field = fields.prompt;
	const isList = Array.isArray(value) && !isTokens(value);
	const prompts = isList ? (value as unknown[]) : [value];
	if (prompts.length === 0) throw createFieldError(field, 'is an empty list');
	return prompts.map((prompt, index) => {
		if (isTokens(prompt)) return prompt;
		if (typeof prompt === 'number') return String(prompt);
		const isBlank = isUnset(prompt) || (typeof prompt === 'string' && prompt.trim() === '');
		if (!isList && isBlank) throw createEmptyFieldError(field);
		if (typeof prompt !== 'string' || isBlank) {
			const problem = isList
				? `has an entry ${index + 1} that is not text: ${quoteValue(prompt)}`
				: `must be a text, but is ${quoteValue(prompt)}`;
			throw createFieldError(field, problem);
		}
		assertTextLength(prompt, 'A prompt');
		return prompt;
	});
}

function isTokens(value: unknown): value is number[] {
	return (
		Array.isArray(value) && value.length > 0 && value.every((entry) => Number.isInteger(entry))
	);
}

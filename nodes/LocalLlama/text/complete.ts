import type { INodeProperties } from 'n8n-workflow';

import type { CompleteTask } from '../../../lib/text/completion-request';
import { longTextField, wholeField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import { modelField } from '../../shared/model-field';
import type { NodeParameters } from '../../shared/parameters';
import type { OperationItem } from '../../shared/run/operations';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { completed, completeSettings, completionOptions } from './completion-options';
import { withChosenModel } from '../../shared/search-models';

const own: INodeProperties[] = [
	wholeField('Completions per Prompt', 'n', 2, [1, 100], {
		description:
			'How many texts to write after each prompt. With a seed, the second one has the next seed, and so on.',
	}),
];

export const textComplete: LocalLlamaOperation = {
	option: {
		name: 'Complete',
		value: 'complete',
		action: 'Complete a text',
		description: 'Continues a text as it is, without the chat template of the model',
	},
	fields: [
		modelField({ description: 'The model that continues the text' }, { mayBeEmpty: true }),
		longTextField('Prompt', 'prompt', 4, {
			required: true,
			description:
				'The text to continue. An expression may also give a list of texts, each of which makes an item, or a list of tokens.',
		}),
		...optionFields([...completionOptions, ...own]),
	],
	run: async (call) => {
		const { parameters } = call;
		const settings = await withChosenModel(
			completeSettings(parameters),
			call.server,
			'chat',
			call.signal,
		);
		const count = parameters.number('options.n', 1);
		const prompts = promptsIn(parameters);
		const { seed } = settings.parameters;
		const items: OperationItem[] = [];
		for (const [index, prompt] of prompts.entries()) {
			for (let copy = 0; copy < count; copy++) {
				if (items.length > 0) await call.typing?.type('\n\n');
				const isSeeded = seed !== undefined && seed >= 0;
				const seeded = isSeeded
					? { parameters: { ...settings.parameters, seed: seed + copy } }
					: {};
				const { json } = await completed(call, { ...settings, ...seeded }, { prompt });
				items.push({ json: { ...json, ...(prompts.length > 1 ? { promptIndex: index } : {}) } });
			}
		}
		return items;
	},
};

type Prompt = CompleteTask['prompt'];

/** One prompt or several. A list of numbers is one prompt as tokens. */
function promptsIn(parameters: NodeParameters): Prompt[] {
	const value = parameters.value('prompt');
	const prompts = Array.isArray(value) && !isTokens(value) ? (value as unknown[]) : [value];
	const { label } = parameters.field('prompt');
	if (prompts.length === 0) throw wrongField(label, 'is an empty list');
	return prompts.map((prompt) => {
		if (isTokens(prompt)) return prompt;
		if (typeof prompt === 'number') return String(prompt);
		if (typeof prompt !== 'string' || prompt === '')
			throw wrongField(label, 'is empty, or holds something that is not text');
		return prompt;
	});
}

function isTokens(value: unknown): value is number[] {
	return Array.isArray(value) && value.length > 0 && value.every((one) => Number.isInteger(one));
}

import type { FieldTable, NameField } from '../../../lib/fields/field';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { toInputParts, toSystemMessage } from '../../../lib/chat/input-message';
import { modelField } from '../../shared/fields/model-selection';
import { getOrigin } from '../../shared/fields/read-values';
import { itemOptionsField } from '../operation-fields';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { respond, responseFormatOptions, systemField } from '../text/chat';
import { parseBinaryFields, readNamedFiles } from '../text/item-files';
import { textOptions, thinkingOptions } from '../text/text-fields';

const fields = {
	model: modelField('A model that supports images'),
	binaryFields: {
		kind: 'name',
		label: 'Input Binary Fields',
		required: true,
		default: 'data',
		hint: 'The name of the input binary field that contains the image; separate several names with commas',
		parse: parseBinaryFields,
	} satisfies NameField,
	prompt: {
		kind: 'text',
		label: 'Prompt',
		rows: 4,
		required: true,
		default: "What's in this image?",
		agent: { name: 'prompt', description: 'The complete question about the image' },
	},
	system: systemField,
	options: itemOptionsField({ ...textOptions, ...thinkingOptions, ...responseFormatOptions }, 1),
} as const satisfies FieldTable;

export const imageAsk: LocalLlamaOperation = withOutput({
	name: 'Ask',
	value: 'ask',
	action: 'Ask about an image',
	description: 'Answer a question about the images of an item, for example of a form',
	fields,
	execute: async (call) => {
		const { values } = call;
		const { binaryFields, prompt, system } = values;
		if (binaryFields.length === 0) throw createEmptyFieldError(fields.binaryFields);
		const { parts, files } = await readNamedFiles(call, binaryFields);
		const systemText = { text: system, origin: getOrigin(values, 'system') };
		const content = toInputParts(prompt, getOrigin(values, 'prompt'));
		return await respond(call, {
			messages: [
				...(system.trim() ? [toSystemMessage([systemText])] : []),
				{ type: 'human', content, files: parts },
			],
			files,
		});
	},
});

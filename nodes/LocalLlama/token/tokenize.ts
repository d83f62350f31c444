import { tokenize as tokensOf } from '../../../lib/servers/manage/tokens';
import { optional } from '../../../lib/values';
import { booleanField, longTextField } from '../../shared/field-kinds';
import { askOfModel } from '../any-server';
import { textsIn } from '../lists';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { specialTokenFields, specialTokensIn, tokenModelField } from './fields';

export const tokenTokenize: LocalLlamaOperation = {
	option: {
		name: 'Tokenize',
		value: 'tokenize',
		action: 'Tokenize a text',
		description: 'Cuts a text into tokens: llama-server, vLLM and Text Embeddings Inference',
	},
	fields: [
		tokenModelField,
		longTextField('Text', 'text', 4, {
			required: true,
			description: 'A text, or a list of texts from an expression. Each gives an item.',
		}),
		...optionFields([
			...specialTokenFields,
			booleanField('With Pieces', 'withPieces', true, {
				description:
					'Whether to give the text of each token too. A token that is only a part of a character is shown as bytes in hexadecimal.',
			}),
		]),
	],
	run: async (call) => {
		const { parameters } = call;
		const how = {
			...specialTokensIn(parameters),
			withPieces: parameters.flag('options.withPieces', false),
		};
		const items = [];
		// Typed input is one text, even if it begins with a bracket.
		const isList = Array.isArray(parameters.value('text'));
		for (const text of isList ? textsIn(parameters, 'text') : [parameters.freeText('text')]) {
			const { tokens, pieces } = await askOfModel(
				call,
				async (connection, ask) => await tokensOf(connection, text, { ...ask, ...how }),
			);
			if (how.withPieces && pieces === undefined)
				call.hint('This server does not tell the texts of the tokens, so there are no pieces.');
			items.push({ json: { tokens, count: tokens.length, ...optional({ pieces }) } });
		}
		return items;
	},
};

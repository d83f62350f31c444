import { detokenize as textOf } from '../../../lib/servers/manage/tokens';
import { jsonField } from '../../shared/field-kinds';
import { asNumber, isBlank, wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import { askOfModel } from '../any-server';
import { listIn } from '../lists';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { tokenModelField } from './fields';

export const tokenDetokenize: LocalLlamaOperation = {
	option: {
		name: 'Detokenize',
		value: 'detokenize',
		action: 'Detokenize tokens',
		description: 'Turns tokens back into a text: llama-server, vLLM and Text Embeddings Inference',
	},
	fields: [
		tokenModelField,
		jsonField('Tokens', 'tokens', '={{ $json.tokens }}', {
			required: true,
			description: 'A list of numbers from an expression, or numbers separated by commas',
		}),
		...optionFields([]),
	],
	run: async (call) => {
		const tokens = tokensIn(call.parameters);
		const text = await askOfModel(
			call,
			async (connection, ask) => await textOf(connection, tokens, ask),
		);
		return [{ json: { text, count: tokens.length } }];
	},
};

/** The tokens of the field. @throws {ServerError} of kind `invalidInput` for an entry that is not a number */
function tokensIn(parameters: NodeParameters): number[] {
	const list = listIn(parameters, 'tokens');
	const [first] = list;
	const typed =
		list.length === 1 && typeof first === 'string' ? first.split(/[\s,]+/).filter(Boolean) : list;
	const { label } = parameters.field('tokens');
	if (isBlank(parameters.value('tokens'))) throw wrongField(label, 'is empty');
	return typed.map((entry, index) => asNumber({ label: `${label}: ${index + 1}` }, entry));
}

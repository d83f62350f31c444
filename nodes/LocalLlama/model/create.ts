import type { CreateOptions } from '../../../lib/servers/kinds/work';
import { createModel } from '../../../lib/servers/manage/model-work';
import { isFilled, nonEmptyText } from '../../../lib/values';
import { binarySource } from '../../shared/binary';
import {
	choiceField,
	choices,
	jsonField,
	longTextField,
	optionsCollection,
	stringField,
} from '../../shared/field-kinds';
import { streamingField } from '../options';
import type { LlamaCall, LocalLlamaOperation } from '../operation';
import {
	allowChangesField,
	idleLimitField,
	idleMsIn,
	progressTyping,
	requireAllowed,
	connectionWithoutQueue,
} from './fields';

export const modelCreate: LocalLlamaOperation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create a model',
		description:
			'Ollama: makes a model from another one, with settings of its own, or from a GGUF file',
	},
	fields: [
		stringField('New Name', 'newName', {
			required: true,
			placeholder: 'e.g. invoice-reader',
		}),
		choiceField('Made From', 'source', 'model', {
			options: choices({
				file: ['GGUF File', 'A file of the item, which is sent to the server'],
				model: ['Model', 'A model of the server'],
			}),
		}),
		stringField('From', 'from', {
			required: true,
			placeholder: 'e.g. qwen3:8b',
			displayOptions: { show: { source: ['model'] } },
			description: 'Its name. One that is not on the server is downloaded by Ollama.',
		}),
		stringField('Input Binary Field', 'binaryField', {
			default: 'data',
			required: true,
			displayOptions: { show: { source: ['file'] } },
			description: 'The field of the item that holds the GGUF file. It is read piece by piece.',
		}),
		longTextField('System Message', 'system', 2, {
			description: 'What the model is and does, unless a request says otherwise',
		}),
		jsonField('Parameters', 'parameters', '{}', {
			description:
				'JSON object as in a Modelfile, for example {"num_ctx": 8192, "temperature": 0.2}',
		}),
		optionsCollection([
			allowChangesField,
			streamingField,
			idleLimitField,
			stringField('Quantize', 'quantize', {
				default: 'q4_K_M',
				description: 'Quantization to make of a file in F16 or F32',
			}),
			longTextField('Template', 'template', 4, {
				description:
					"Chat template in Go's language. Not added: that of the source, or the one that fits the file.",
			}),
		]),
	],
	run: async (call) => {
		requireAllowed(call);
		const { parameters, signal } = call;
		const model = parameters.required('newName');
		const modelParameters = parameters.object('parameters', {});
		const created = await createModel(await connectionWithoutQueue(call), {
			model,
			source: await sourceOf(call),
			system: nonEmptyText(parameters.freeText('system')),
			template: nonEmptyText(parameters.freeText('options.template')),
			parameters: isFilled(modelParameters) ? modelParameters : undefined,
			quantize: nonEmptyText(parameters.name('options.quantize')),
			idleMs: idleMsIn(call),
			signal,
			onProgress: progressTyping(call),
			onDownload: (from) =>
				call.hint(`The model "${from}" is not on the server, so Ollama downloads it first.`),
		});
		return [{ json: created }];
	},
};

async function sourceOf({
	context,
	parameters,
	itemIndex,
}: LlamaCall): Promise<CreateOptions['source']> {
	if (parameters.choice<'model' | 'file'>('source') === 'file')
		return { file: await binarySource(context, itemIndex, parameters.name('binaryField')) };
	return { from: parameters.required('from') };
}

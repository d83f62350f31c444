import { invalidInput } from '../../../lib/errors/failure';
import { ANY_NUMBER } from '../../../lib/ranges';
import { setAdapters } from '../../../lib/servers/manage/adapters';
import { isRecord, recordOf } from '../../../lib/values';
import { booleanField, jsonField, noticeField, optionsCollection } from '../../shared/field-kinds';
import { asNumber, shown, wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import { listIn } from '../lists';
import type { LocalLlamaOperation } from '../operation';
import { routerModelField } from '../router-model-field';

export const adapterSet: LocalLlamaOperation = {
	option: {
		name: 'Set',
		value: 'set',
		action: 'Set the scales of adapters',
		description: 'For all requests of all users of the server. Those that are not named go to 0.',
	},
	fields: [
		routerModelField,
		noticeField(
			'This changes the answers for everybody who uses the server. For your own requests set the option LoRA Adapters of Text: Chat or of Local Chat Model.',
			'adapterNotice',
		),
		jsonField('Adapters', 'adapters', '[{ "id": 0, "scale": 1 }]', {
			required: true,
			description: 'List of objects with ID and scale',
		}),
		optionsCollection([
			booleanField('Switch All Off', 'allOff', true, {
				description: 'Whether an empty list may set all adapters to 0',
			}),
		]),
	],
	run: async ({ connection, parameters, signal, hint }) => {
		const scales = scalesIn(parameters);
		if (scales.length === 0 && !parameters.flag('options.allOff', false)) throw nothingNamed();
		const adapters = await setAdapters(connection, scales, {
			model: parameters.name('model'),
			signal,
		});
		hint(
			'The adapters are set for everybody who uses the server. A chat can have its own by the option LoRA Adapters.',
		);
		return adapters.map((json) => ({ json }));
	},
};

/** @throws {ServerError} of kind `invalidInput` naming the entry */
function scalesIn(parameters: NodeParameters): Array<{ id: number; scale: number }> {
	const { label } = parameters.field('adapters');
	return listIn(parameters, 'adapters').map((entry, index) => {
		if (!isRecord(entry))
			throw wrongField(label, `holds no object at place ${index + 1}, but ${shown(entry)}`);
		const { id, scale } = recordOf(entry);
		return {
			id: asNumber({ label: `${label}: ID ${index + 1}`, range: [0, Infinity], whole: true }, id),
			scale: asNumber({ label: `${label}: scale ${index + 1}`, range: ANY_NUMBER }, scale),
		};
	});
}

function nothingNamed() {
	return invalidInput(
		'No adapter is named, which would switch all of them off',
		'Name adapters, or switch on the option Switch All Off if that is what you want.',
	);
}

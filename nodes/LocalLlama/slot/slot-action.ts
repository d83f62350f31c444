import type { INodeProperties } from 'n8n-workflow';

import type { SlotAction } from '../../../lib/servers/kinds/work';
import { changeSlot } from '../../../lib/servers/manage/slots';
import { stringField, wholeField } from '../../shared/field-kinds';
import type { LocalLlamaOperation } from '../operation';
import { routerModelField } from '../router-model-field';

const slotFields: INodeProperties[] = [
	routerModelField,
	wholeField('Slot', 'slot', 0, [0], { description: 'Number of the slot, from 0 on' }),
];

const fileField = stringField('File Name', 'fileName', {
	required: true,
	placeholder: 'e.g. system-prompt.bin',
	description: 'Without a folder: the server keeps it in the folder of --slot-save-path',
});

/** An operation on one slot. */
export function slotAction(
	action: SlotAction,
	option: LocalLlamaOperation['option'],
): LocalLlamaOperation {
	const hasFile = action !== 'erase';
	return {
		option,
		fields: hasFile ? [...slotFields, fileField] : slotFields,
		run: async ({ connection, parameters, signal, hint }) => {
			const result = await changeSlot(connection, action, {
				model: parameters.name('model'),
				slot: parameters.number('slot'),
				...(hasFile ? { fileName: parameters.name('fileName') } : {}),
				signal,
			});
			if (hasFile && result.tokens === 0)
				hint(`Slot ${result.slot} held nothing, so there was nothing to ${action}.`);
			return [{ json: result }];
		},
	};
}

import { optional } from '../../../lib/values';
import { stringField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import { filesIn, inputFileField } from '../media-options';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { imageModelField, imageOptions, promptField } from './fields';
import { imageItems } from './make';

export const imageEdit: LocalLlamaOperation = {
	option: {
		name: 'Edit',
		value: 'edit',
		action: 'Edit an image',
		description: 'Changes pictures as a description says, all of them or where a mask allows it',
	},
	fields: [
		imageModelField,
		promptField('What the picture should become', 'e.g. the same street at night'),
		{
			...inputFileField(
				'The picture to change. Several, separated by commas, go into one request.',
			),
			displayName: 'Input Binary Fields',
			hint: 'The names of the fields of the item that hold the pictures',
		},
		...optionFields(
			[
				...imageOptions,
				stringField('Mask Binary Field', 'maskPropertyName', {
					default: 'mask',
					description:
						"The field of the item that holds the mask. sd-server changes what is white in it; servers with OpenAI's API change what is transparent.",
				}),
			],
			1,
		),
	],
	run: async (call) => {
		const images = await filesIn(call, 'binaryPropertyName');
		if (images.length === 0)
			throw wrongField('Input Binary Fields', 'is empty', 'Name the field that holds the picture.');
		const [mask] = await filesIn(call, 'options.maskPropertyName');
		return await imageItems(call, { images, ...optional({ mask }) });
	},
};

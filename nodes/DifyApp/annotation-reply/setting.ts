import type { INodeProperties } from 'n8n-workflow';

import { type ReplyAction, setAnnotationReply } from '../../../lib/dify/app/annotation-reply';
import type { DifyOperation } from '../../shared/dify/run';
import { numberField, optionsCollection } from '../../shared/field-kinds';

const DEFAULT_WAIT_MS = 300_000;

const waitLimit = numberField('Wait Limit (Seconds)', 'waitLimit', 300, {
	typeOptions: { minValue: 0 },
	description: 'How long to wait until Dify has done it. 0: not at all, ask later with Get Status.',
});

export function setting(
	action: ReplyAction,
	name: string,
	description: string,
	further: INodeProperties[],
): DifyOperation {
	return {
		option: { name, value: action, action: `${name} annotation reply`, description },
		fields: [optionsCollection([...further, waitLimit])],
		run: async ({ client, parameters }) => {
			const settings =
				further.length === 0
					? {}
					: {
							scoreThreshold: parameters.number('options.scoreThreshold', undefined),
							embeddingModel: parameters.name('options.embeddingModel') || undefined,
							embeddingProvider: parameters.name('options.embeddingProvider') || undefined,
						};
			const limitMs = parameters.milliseconds('options.waitLimit', DEFAULT_WAIT_MS);
			return [{ json: await setAnnotationReply(client, action, settings, { limitMs }) }];
		},
	};
}

import type { IDataObject, INodeProperties } from 'n8n-workflow';

import { annotationReplyJob, setAnnotationReply, type ReplyAction } from '../../lib/dify/annotation-reply';
import { uuid } from '../../lib/dify/ids';
import type { AppOperation } from '../shared/dify/app-operations';

const DEFAULT_WAIT_MS = 300_000;

const waitLimit: INodeProperties = {
	displayName: 'Wait Limit (Seconds)',
	name: 'waitLimit',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 300,
	description: 'How long to wait until Dify has done it. 0: not at all, ask later with Get Status.',
};

const modelFields: INodeProperties[] = [
	{
		displayName: 'Embedding Model',
		name: 'embeddingModel',
		type: 'string',
		default: '',
		placeholder: 'e.g. bge-m3',
		description: 'A model that is set up in Dify. Without this option: the one that was used last.',
	},
	{
		displayName: 'Embedding Provider',
		name: 'embeddingProvider',
		type: 'string',
		default: '',
		placeholder: 'e.g. langgenius/ollama/ollama',
		description: 'The provider of that model, as Dify writes it',
	},
	{
		displayName: 'Score Threshold',
		name: 'scoreThreshold',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 2 },
		default: 0.9,
		description: 'How near a question must be to an annotated one. Without this option: as it was, at first 0.9.',
	},
];

function setting(action: ReplyAction, name: string, description: string, further: INodeProperties[]): AppOperation {
	return {
		option: { name, value: action, action: `${name} annotation reply`, description },
		fields: [
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add Option',
				default: {},
				options: [...further, waitLimit],
			},
		],
		run: async ({ app, parameters, signal }) => {
			const settings =
				further.length === 0
					? {}
					: {
							scoreThreshold: parameters.number('options.scoreThreshold', undefined),
							embeddingModel: parameters.name('options.embeddingModel') || undefined,
							embeddingProvider: parameters.name('options.embeddingProvider') || undefined,
						};
			const limitMs = parameters.milliseconds('options.waitLimit', DEFAULT_WAIT_MS);
			const job = await setAnnotationReply(app.client, action, settings, { limitMs, signal });
			return [{ json: job as unknown as IDataObject, pairedItem: { item: parameters.itemIndex } }];
		},
	};
}

export const annotationReplyEnable = setting(
	'enable',
	'Enable',
	'Let the app answer with its annotations. All of them are embedded for that.',
	modelFields,
);

export const annotationReplyDisable = setting('disable', 'Disable', 'Let the model answer every question', []);

export const annotationReplyGetStatus: AppOperation = {
	option: {
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of an annotation reply job',
		description: 'How far enabling or disabling is',
	},
	fields: [
		{
			displayName: 'Action',
			name: 'action',
			type: 'options',
			default: 'enable',
			options: [
				{ name: 'Disable', value: 'disable' },
				{ name: 'Enable', value: 'enable' },
			],
			description: 'What the job was started for. Dify knows it under that only.',
		},
		{
			displayName: 'Job ID',
			name: 'jobId',
			type: 'string',
			default: '={{ $json.jobId }}',
			required: true,
		},
	],
	run: async ({ app, parameters, signal }) => {
		const jobId = uuid(parameters.value('jobId'), 'job ID');
		const job = await annotationReplyJob(app.client, parameters.choice<ReplyAction>('action'), jobId, signal);
		return [{ json: job as unknown as IDataObject, pairedItem: { item: parameters.itemIndex } }];
	},
};

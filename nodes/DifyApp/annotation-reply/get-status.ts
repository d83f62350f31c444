import { annotationReplyJob, type ReplyAction } from '../../../lib/dify/annotation-reply';
import { uuid } from '../../../lib/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';

export const annotationReplyGetStatus: DifyOperation = {
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
		return [{ json: job }];
	},
};

import { annotationReplyJob, type ReplyAction } from '../../../lib/dify/app/annotation-reply';
import { uuid } from '../../../lib/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, choices, stringField } from '../../shared/field-kinds';

export const annotationReplyGetStatus: DifyOperation = {
	option: {
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of an annotation reply job',
		description: 'How far the job that enables or disables has come',
	},
	fields: [
		choiceField('Action', 'action', 'enable', {
			options: choices({
				disable: 'Disable',
				enable: 'Enable',
			}),
			description: 'What the job was started for. Dify knows it under that only.',
		}),
		stringField('Job ID', 'jobId', {
			default: '={{ $json.jobId }}',
			required: true,
		}),
	],
	run: async ({ client, parameters }) => {
		const jobId = uuid(parameters.value('jobId'), 'job ID');
		const job = await annotationReplyJob(client, parameters.choice<ReplyAction>('action'), jobId);
		return [{ json: job }];
	},
};

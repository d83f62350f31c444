import type { INodeProperties } from 'n8n-workflow';
import {
	booleanField,
	choiceField,
	choicesField,
	optionsCollection,
	stringField,
} from '../shared/field-kinds';

const event = choiceField('Event', 'event', 'feedback', {
	noDataExpression: true,
	options: [
		{
			name: 'Feedback Given',
			value: 'feedback',
			description:
				'A user, or your team in Dify, has rated an answer of the app, or changed a rating',
		},
		{
			name: 'Workflow Run Finished',
			value: 'workflowRun',
			description:
				'A run of a workflow app has ended, whoever started it. For apps of the type workflow.',
		},
	],
});

const forFeedback = { show: { event: ['feedback'] } };
const forRuns = { show: { event: ['workflowRun'] } };

const rating = choiceField('Rating', 'rating', 'any', {
	displayOptions: forFeedback,
	options: [
		{ name: 'Any', value: 'any' },
		{ name: 'Dislike', value: 'dislike' },
		{ name: 'Like', value: 'like' },
	],
	description: 'Which ratings start the workflow',
});

const statuses = choicesField('Ended As', 'statuses', {
	default: ['failed', 'partial-succeeded', 'stopped', 'succeeded'],
	displayOptions: forRuns,
	options: [
		{ name: 'Failed', value: 'failed' },
		{ name: 'Partly Succeeded', value: 'partial-succeeded' },
		{ name: 'Stopped', value: 'stopped' },
		{ name: 'Succeeded', value: 'succeeded' },
	],
	description: 'Which runs start the workflow',
});

const options: INodeProperties = optionsCollection([
	booleanField('Changed Ratings', 'changed', true, {
		displayOptions: { show: { '/event': ['feedback'] } },
		description:
			'Whether a rating that was changed starts the workflow again, such as a text that came later. Without this option: yes. Noticed among the newest 100.',
	}),
	choiceField('From', 'source', 'user', {
		displayOptions: { show: { '/event': ['feedback'] } },
		options: [
			{ name: 'Team in Dify', value: 'admin' },
			{ name: 'Users of the App', value: 'user' },
		],
		description: 'Whose ratings start the workflow. Without this option: all.',
	}),
	booleanField('Inputs and Outputs', 'withOutputs', true, {
		displayOptions: { show: { '/event': ['workflowRun'] } },
		description:
			'Whether to fetch what went into each run and came out of it, with one request for each. Without this option: yes.',
	}),
	stringField('User', 'user', {
		displayOptions: { show: { '/event': ['workflowRun'] } },
		description: 'Only runs of this user of the app. Without this option: of all.',
	}),
]);

export const properties: INodeProperties[] = [event, rating, statuses, options];

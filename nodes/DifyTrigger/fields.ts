import type { INodeProperties } from 'n8n-workflow';
import { collectionOf } from '../shared/options-field';

const event: INodeProperties = {
	displayName: 'Event',
	name: 'event',
	type: 'options',
	noDataExpression: true,
	default: 'feedback',
	options: [
		{
			name: 'Feedback Given',
			value: 'feedback',
			description: 'A user, or your team in Dify, has rated an answer of the app, or changed a rating',
		},
		{
			name: 'Workflow Run Finished',
			value: 'workflowRun',
			description: 'A run of a workflow app has ended, whoever started it. For apps of the type workflow.',
		},
	],
};

const forFeedback = { show: { event: ['feedback'] } };
const forRuns = { show: { event: ['workflowRun'] } };

const rating: INodeProperties = {
	displayName: 'Rating',
	name: 'rating',
	type: 'options',
	default: 'any',
	displayOptions: forFeedback,
	options: [
		{ name: 'Any', value: 'any' },
		{ name: 'Dislike', value: 'dislike' },
		{ name: 'Like', value: 'like' },
	],
	description: 'Which ratings start the workflow',
};

const statuses: INodeProperties = {
	displayName: 'Ended As',
	name: 'statuses',
	type: 'multiOptions',
	default: ['failed', 'partial-succeeded', 'stopped', 'succeeded'],
	displayOptions: forRuns,
	options: [
		{ name: 'Failed', value: 'failed' },
		{ name: 'Partly Succeeded', value: 'partial-succeeded' },
		{ name: 'Stopped', value: 'stopped' },
		{ name: 'Succeeded', value: 'succeeded' },
	],
	description: 'Which runs start the workflow',
};

const options: INodeProperties = collectionOf([
	{
		displayName: 'Changed Ratings',
		name: 'changed',
		type: 'boolean',
		default: true,
		displayOptions: { show: { '/event': ['feedback'] } },
		description:
			'Whether a rating that was changed starts the workflow again, such as a text that came later. Without this option: yes. Noticed among the newest 100.',
	},
	{
		displayName: 'From',
		name: 'source',
		type: 'options',
		default: 'user',
		displayOptions: { show: { '/event': ['feedback'] } },
		options: [
			{ name: 'Team in Dify', value: 'admin' },
			{ name: 'Users of the App', value: 'user' },
		],
		description: 'Whose ratings start the workflow. Without this option: all.',
	},
	{
		displayName: 'Inputs and Outputs',
		name: 'withOutputs',
		type: 'boolean',
		default: true,
		displayOptions: { show: { '/event': ['workflowRun'] } },
		description:
			'Whether to fetch what went into each run and came out of it, with one request for each. Without this option: yes.',
	},
	{
		displayName: 'User',
		name: 'user',
		type: 'string',
		default: '',
		displayOptions: { show: { '/event': ['workflowRun'] } },
		description: 'Only runs of this user of the app. Without this option: of all.',
	},
]);

export const properties: INodeProperties[] = [event, rating, statuses, options];

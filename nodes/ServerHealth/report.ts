import type { INodeProperties } from 'n8n-workflow';

import { checkServer } from '../../lib/health/check';
import { type FullCheck, writeReport } from '../../lib/health/report/page';
import type { SpeedRun } from '../../lib/health/speed/measure';
import { testSpeed } from '../../lib/health/speed/speed-test';
import { withToolTest } from '../../lib/health/tools/tool-test';
import { optional } from '../../lib/values';
import {
	booleanField,
	numberField,
	outputFileField,
	stringField,
	wholeField,
} from '../shared/field-kinds';
import { checkFields, readCheck } from '../shared/health/check-fields';
import { modelField } from '../shared/model-field';
import { baseName, storeFile } from '../shared/store-file';
import { presetOf } from './tool-test';
import { healthItems, type HealthCall, type HealthOperation } from './operation';

const DEFAULT_FIRST_TOKEN_MS = 60_000;
const DEFAULT_TOTAL_MS = 180_000;

const ONLY_MEASURED = { show: { service: ['modelServer'], measureSpeed: [true] } };

const speedFields: INodeProperties[] = [
	booleanField('Measure Speed', 'measureSpeed', true, {
		displayOptions: { show: { service: ['modelServer'] } },
		description:
			'Whether to measure the speed of one request alone, and of several at once. It keeps the server busy meanwhile, and loads or wakes the model if it has to.',
	}),
	{
		...modelField({ description: 'The model to measure' }, { mayBeEmpty: true }),
		displayOptions: ONLY_MEASURED,
	},
	wholeField('Requests at Once', 'atOnce', 4, [1, 64], {
		displayOptions: ONLY_MEASURED,
		description: 'With more than 1, a second round sends that many requests at the same time',
	}),
	wholeField('Tokens per Answer', 'tokens', 64, [1, 4096], {
		displayOptions: ONLY_MEASURED,
		description:
			'How many tokens each request generates. More make the result steadier, and take longer.',
	}),
];

const toolFields: INodeProperties[] = [
	booleanField('Test Tools', 'testTools', false, {
		displayOptions: { show: { service: ['modelServer'] } },
		description:
			'Whether to test how well the model calls tools, as the operation Tool Test does: at most 22 requests, 22,528 generated tokens and 10 minutes',
	}),
	{
		...modelField({ description: 'The model to test' }, { mayBeEmpty: true }),
		displayOptions: {
			show: { service: ['modelServer'], measureSpeed: [false], testTools: [true] },
		},
	},
];

export const report: HealthOperation = {
	option: {
		name: 'Report',
		value: 'report',
		action: 'Write a report about a server',
		description: 'Check and speed test as one HTML file with plots',
	},
	services: ['modelServer', 'dify'],
	fields: [
		stringField('Title', 'title', {
			default: 'Server Health Report',
			description: 'The heading of the report',
		}),
		...speedFields,
		...toolFields,
		...checkFields(
			stringField('File Name', 'fileName', {
				default: 'server-health',
				description: 'Without its extension, which is .html',
			}),
			numberField('First Token Limit (Seconds)', 'firstTokenLimit', 60, {
				typeOptions: { minValue: 1 },
				displayOptions: { show: { '/service': ['modelServer'] } },
				description:
					'How long to wait for the first token of a request. A model that is not loaded yet takes longer.',
			}),
			outputFileField,
			numberField('Total Limit (Seconds)', 'totalLimit', 180, {
				typeOptions: { minValue: 1 },
				displayOptions: { show: { '/service': ['modelServer'] } },
				description: 'How long one request may take from beginning to end',
			}),
		),
	],
	run: async (call) => {
		const { target, parameters, context } = call;
		const { check, failWhenUnhealthy } = readCheck(call);
		const isMeasured = target.service === 'modelServer' && parameters.flag('measureSpeed', true);
		const checked: FullCheck = isMeasured
			? await testSpeed(target, speedOptions(call))
			: await checkServer(target, check);
		const isTested = target.service === 'modelServer' && parameters.flag('testTools', false);
		const health: FullCheck = isTested
			? await withToolTest(target, checked, { ...presetOf(call), isPart: true })
			: checked;
		const title = parameters.freeText('title').trim() || 'Server Health Report';
		const page = writeReport(health, { title, timeZone: context.getTimezone() });
		const fileName = `${baseName(parameters.name('options.fileName'), 'server-health')}.html`;
		const stored = await storeFile(call, 'options.binaryPropertyOutput', {
			content: Buffer.from(page),
			fileName,
			mimeType: 'text/html',
		});
		const reported = { ...withoutSamples(health), title, file: stored.facts };
		return healthItems(call, { health: reported, failWhenUnhealthy, binary: stored.binary });
	},
};

function speedOptions(call: HealthCall): Parameters<typeof testSpeed>[1] {
	const { parameters, signal } = call;
	return {
		model: parameters.name('model'),
		tokens: parameters.number('tokens'),
		atOnce: parameters.number('atOnce'),
		firstTokenMs: parameters.milliseconds('options.firstTokenLimit', DEFAULT_FIRST_TOKEN_MS),
		totalMs: parameters.milliseconds('options.totalLimit', DEFAULT_TOTAL_MS),
		isPart: true,
		// The measurement wakes a sleeping server anyway, so `/slots` may be read.
		check: { ...readCheck(call).check, readSlots: true },
		signal,
	};
}

/** Removes the samples: 64 requests give many, and the rounds have averages. */
function withoutSamples<R extends FullCheck>(result: R): R {
	const { speed, servers } = result;
	const brief = ({ samples, ...run }: SpeedRun) => ({
		...run,
		requests: samples.length,
		measuredBy: samples[0]?.measuredBy ?? null,
		arrival: samples[0]?.arrival ?? null,
	});
	return {
		...result,
		...optional({
			speed: speed && { ...speed, runs: speed.runs.map(brief) },
			servers: servers?.map((one) => withoutSamples(one)),
		}),
	};
}

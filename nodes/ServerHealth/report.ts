import type { INodeProperties } from 'n8n-workflow';

import { checkServer } from '../../lib/health/check';
import { entriesOf, readHistory } from '../../lib/health/report/history';
import { type FullCheck, writeReport } from '../../lib/health/report/page';
import type { SpeedRun } from '../../lib/health/speed/measure';
import { testSpeed } from '../../lib/health/speed/speed-test';
import type { SweepOptions } from '../../lib/health/speed/sweep';
import { withToolTest } from '../../lib/health/tools/tool-test';
import { optional } from '../../lib/values';
import {
	booleanField,
	choiceField,
	choices,
	jsonField,
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
const DEFAULT_SWEEP_MS = 180_000;

type HistoryFrom = 'none' | 'inputItems' | 'field';

const ONLY_SWEEP = { show: { service: ['modelServer'], measureSpeed: [true] } };

const sweepFields: INodeProperties[] = [
	booleanField('Measure Speed', 'measureSpeed', true, {
		displayOptions: { show: { service: ['modelServer'] } },
		description:
			'Whether to measure the speed with 1, 2, 4, 8, … requests at once. It keeps the server busy for up to some minutes, and loads or wakes the model if it has to.',
	}),
	{
		...modelField({ description: 'The model to measure' }, { mayBeEmpty: true }),
		displayOptions: ONLY_SWEEP,
	},
	wholeField('Requests at Once, up To', 'atOnceUpTo', 8, [1, 64], {
		displayOptions: ONLY_SWEEP,
		description:
			'The last round of the measurement. It never has more requests than the server has slots, or than the credential lets through.',
	}),
	wholeField('Tokens per Answer', 'tokens', 64, [1, 4096], {
		displayOptions: ONLY_SWEEP,
		description:
			'How many tokens each request generates. More make the result steadier, and take longer.',
	}),
	choiceField('When Others Use the Server', 'whenBusy', 'freeSlots', {
		options: choices({
			measure: [
				'Measure Anyway',
				'Use all slots: others wait longer meanwhile, and the report says that they were there',
			],
			skip: ['Skip the Measurement', 'Measure nothing, or stop before the next round'],
			freeSlots: [
				'Use Free Slots Only',
				'Looks before each round, and stops where no more slots are free',
			],
		}),
		displayOptions: ONLY_SWEEP,
		description:
			'What to do where requests of others run. Llama-server tells how many; not every other server does.',
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

const historyFields: INodeProperties[] = [
	choiceField('Earlier Results', 'historyFrom', 'none', {
		// The choice decides how often the node runs.
		noDataExpression: true,
		options: choices({
			field: ['From a Field', 'A list, as an expression gives it: one report for each item'],
			inputItems: [
				'Input Items',
				'All items that come in, for example rows of a data table: one report for all of them',
			],
			none: ['None', 'One report for each item, without a history'],
		}),
		description:
			'Where results of earlier reports, checks or speed tests are, for plots over time. Keep the field "entries" of each report in a data table to have them.',
	}),
	jsonField('List of Earlier Results', 'history', '[]', {
		displayOptions: { show: { historyFrom: ['field'] } },
		placeholder: "e.g. {{ $('Data table').all().map((item) => item.json) }}",
		description: 'Results of earlier reports, checks or speed tests, or their "entries", as a list',
	}),
];

export const report: HealthOperation = {
	option: {
		name: 'Report',
		value: 'report',
		action: 'Write a report about a server',
		description:
			'Check, measure the speed with more and more requests at once, and put all of it into one HTML file with plots, for a mail or a browser',
	},
	services: ['modelServer', 'dify'],
	fields: [
		stringField('Title', 'title', {
			default: 'Server Health Report',
			description: 'The heading of the report',
		}),
		...sweepFields,
		...toolFields,
		...historyFields,
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
			numberField('Time Limit of the Sweep (Seconds)', 'sweepLimit', 180, {
				typeOptions: { minValue: 1 },
				displayOptions: { show: { '/service': ['modelServer'] } },
				description:
					'How long all rounds of one server may take together. A round that would not fit is left out.',
			}),
		),
	],
	takesAllItems: (parameters) =>
		parameters.choice<HistoryFrom>('historyFrom', 'none') === 'inputItems',
	run: async (call) => {
		const { target, parameters, context } = call;
		const { check, failWhenUnhealthy } = readCheck(call);
		const isMeasured = target.service === 'modelServer' && parameters.flag('measureSpeed', true);
		const history = readHistory(earlierResults(call));
		const checked: FullCheck = isMeasured
			? await testSpeed(target, sweepOptions(call))
			: await checkServer(target, check);
		const isTested = target.service === 'modelServer' && parameters.flag('testTools', false);
		const health: FullCheck = isTested
			? await withToolTest(target, checked, { ...presetOf(call), isPart: true })
			: checked;
		const title = parameters.freeText('title').trim() || 'Server Health Report';
		const page = writeReport(health, { title, timeZone: context.getTimezone(), history });
		const fileName = `${baseName(parameters.name('options.fileName'), 'server-health')}.html`;
		const stored = await storeFile(call, 'options.binaryPropertyOutput', {
			content: Buffer.from(page),
			fileName,
			mimeType: 'text/html',
		});
		const reported = {
			...withoutSamples(health),
			title,
			entries: entriesOf(health),
			earlierResults: history.entries.length,
			file: stored.facts,
		};
		return healthItems(call, { health: reported, failWhenUnhealthy, binary: stored.binary });
	},
};

function earlierResults({ parameters, context }: HealthCall): unknown {
	const from = parameters.choice<HistoryFrom>('historyFrom', 'none');
	if (from === 'inputItems') return context.getInputData().map(({ json }) => json);
	return from === 'field' ? parameters.value('history') : [];
}

function sweepOptions(call: HealthCall): Parameters<typeof testSpeed>[1] {
	const { parameters, signal } = call;
	const limitMs = parameters.milliseconds('options.sweepLimit', DEFAULT_SWEEP_MS);
	return {
		model: parameters.name('model'),
		tokens: parameters.number('tokens'),
		atOnce: parameters.number('atOnceUpTo'),
		firstTokenMs: parameters.milliseconds('options.firstTokenLimit', DEFAULT_FIRST_TOKEN_MS),
		totalMs: limitMs,
		sweep: { whenBusy: parameters.choice<SweepOptions['whenBusy']>('whenBusy'), limitMs, signal },
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

/** Operation Report. */
import type { INodeProperties } from 'n8n-workflow';
import { asServerErrorOrThrow, ServerError } from '../../lib/errors/server-error';
import { checkServer } from '../../lib/health/check';
import type { CheckResult, Finding } from '../../lib/health/check-result';
import { composeText } from '../../lib/values/safe-text';
import { renderHtmlReport, renderTextReport } from '../../lib/health/report';
import type { SpeedCheckResult } from '../../lib/health/speed';
import { addSpeedTest } from '../../lib/health/speed';
import {
	booleanField,
	outputFileField,
	stringField,
	integerField,
	shownIf,
} from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import { modelField } from '../shared/model-selection';
import { baseName, storeFile } from '../shared/binary';
import type { HealthCall, HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';
import { readSpeed } from './speed-test';

/** A report is not urgent, and loading a large model takes minutes. */
const TIMEOUTS = { firstTokenMs: 600_000, totalMs: 900_000 };
const IF_SPEED_MEASURED = { show: { service: ['modelServer'], measureSpeed: [true] } };

const speedFields: INodeProperties[] = [
	booleanField('Measure Speed', 'measureSpeed', true, {
		...shownIf('service', 'modelServer'),
		description:
			'Whether to measure the speed of one request, then of several at the same time. This keeps the server busy, and loads or wakes the model if needed.',
	}),
	{
		...modelField('The model to measure'),
		displayOptions: IF_SPEED_MEASURED,
	},
	integerField('Max Tokens per Response', 'tokens', 64, [1, 4096], {
		displayOptions: IF_SPEED_MEASURED,
		description:
			'How many tokens each request generates. A higher number gives steadier results but takes longer.',
	}),
	integerField('Concurrent Requests', 'concurrentRequests', 4, [1, 64], {
		displayOptions: IF_SPEED_MEASURED,
		description:
			'If greater than 1, the last round sends this many requests at the same time, up to the limit of the credential, otherwise to the slots of the server. A round before it sends half as many.',
	}),
];

export const report: HealthOperation = defineHealthOperation({
	name: 'Report',
	value: 'report',
	action: 'Write a report about a server',
	description: 'Create an HTML report with health check, speed test and charts',
	services: ['modelServer', 'dify'],
	fields: [
		stringField('Title', 'title', {
			default: 'Server Health Report',
			description: 'The heading of the report',
		}),
		...speedFields,
		...checkFields(
			stringField('File Name', 'fileName', {
				default: 'server-health',
				description: 'Without extension; .html is added',
			}),
			outputFileField,
		),
	],
	fetchHealth: async (call) => {
		const { parameters, context } = call;
		const result = await checkAndMeasure(call);
		const title = parameters.rawString('title').trim() || 'Server Health Report';
		const page = renderHtmlReport(result, { title, timeZone: context.getTimezone() });
		const file = await storeFile(call, 'options.binaryPropertyOutput', {
			content: Buffer.from(page),
			fileName: `${baseName(parameters.string('options.fileName'), 'server-health')}.html`,
			mimeType: 'text/html',
		});
		const details = { title, text: renderTextReport(result), file: file.facts };
		return { ...result, report: details, binary: file.binary };
	},
});

/** A check with the speed of a model server. Where no speed can be measured, a finding says why. */
async function checkAndMeasure(call: HealthCall): Promise<SpeedCheckResult> {
	const { target, parameters, checkOptions } = call;
	const isMeasured = target.service === 'modelServer' && parameters.boolean('measureSpeed', true);
	const health = await checkServer(target, checkOptions);
	if (!isMeasured) return health;
	const measured = await addSpeedTest(target, health, {
		...readSpeed(call),
		...TIMEOUTS,
		hasMiddleRound: true,
	}).catch(asServerErrorOrThrow);
	if (!(measured instanceof ServerError)) {
		const wrongType = measured.findings.find(({ id }) => id === 'wrongModelType');
		if (wrongType === undefined) return measured;
		// Servers for embeddings get reports, too.
		return withFinding(health, { ...wrongType, severity: 'info' });
	}
	const { type, message: detail, suggestion } = measured;
	// The model is ambiguous.
	if (type !== 'invalidInput') throw measured;
	return withFinding(health, {
		id: 'speedNotMeasured',
		severity: 'info',
		observed: composeText('No request was sent'),
		detail: composeText(detail),
		suggestion: composeText(suggestion),
	});
}

function withFinding(health: CheckResult, finding: Finding): CheckResult {
	return { ...health, findings: [...health.findings, finding] };
}

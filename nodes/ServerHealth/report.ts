/** Operation Report. */
import { asServerErrorOrThrow, ServerError } from '../../lib/errors/server-error';
import { checkServer } from '../../lib/health/check';
import type { CheckResult, Finding } from '../../lib/health/check-result';
import { composeText } from '../../lib/values/safe-text';
import { renderHtmlReport, renderTextReport } from '../../lib/health/report';
import type { SpeedCheckResult } from '../../lib/health/speed';
import { addSpeedTest } from '../../lib/health/speed';
import type { FieldTable } from '../../lib/fields/field';
import { optionsField } from '../shared/fields/options-field';
import type { FieldValues } from '../shared/items/define-operation';
import { baseName, storeFile } from '../../lib/n8n/binary';
import type { HealthCall, HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';
import { speedFields } from './speed-test';

/** A report is not urgent, and loading a large model takes minutes. */
const TIMEOUTS = { firstTokenMs: 600_000, totalMs: 900_000 };

const shownIf = { service: ['modelServer'], measureSpeed: [true] } as const;

const fields = {
	title: {
		kind: 'text',
		label: 'Title',
		default: 'Server Health Report',
		description: 'The heading of the report',
	},
	measureSpeed: {
		kind: 'switch',
		label: 'Measure Speed',
		default: true,
		isOptional: true,
		shownIf: { service: ['modelServer'] },
		description:
			'Whether to measure the speed of one request, then of several at the same time. This keeps the server busy, and loads or wakes the model if needed.',
	},
	model: { ...speedFields.model, shownIf },
	tokens: {
		...speedFields.tokens,
		shownIf,
		description:
			'How many tokens each request generates. A higher number gives steadier results but takes longer.',
	},
	concurrentRequests: {
		...speedFields.concurrentRequests,
		default: 4,
		shownIf,
		description:
			'If greater than 1, the last round sends this many requests at the same time, up to the limit of the credential, otherwise to the slots of the server. A round before it sends half as many.',
	},
	options: optionsField({
		fileName: {
			kind: 'name',
			label: 'File Name',
			default: 'server-health',
			description: 'Without extension; .html is added',
		},
		binaryPropertyOutput: {
			kind: 'name',
			label: 'Put Output File in Field',
			default: 'data',
			description: 'The name of the output binary field to put the file in',
		},
	}),
} as const satisfies FieldTable;

export const report: HealthOperation = defineHealthOperation({
	name: 'Report',
	value: 'report',
	action: 'Write a report about a server',
	description: 'Create an HTML report with health check, speed test and charts',
	services: ['modelServer', 'dify'],
	fields,
	fetchHealth: async (call) => {
		const { values, context } = call;
		const { fileName = '', binaryPropertyOutput: property } = values.options;
		const title = values.title.trim() || fields.title.default;
		const result = await checkAndMeasure(call);
		const page = renderHtmlReport(result, { title, timeZone: context.getTimezone() });
		const file = await storeFile(
			call,
			property || fields.options.fields.binaryPropertyOutput.default,
			{
				content: Buffer.from(page),
				fileName: `${baseName(fileName, 'server-health')}.html`,
				mimeType: 'text/html',
			},
		);
		const details = { title, text: renderTextReport(result), file: file.facts };
		return { ...result, report: details, binary: file.binary };
	},
});

/** A check with the speed of a model server. Where no speed can be measured, a finding says why. */
async function checkAndMeasure({
	target,
	values,
	signal,
	checkOptions,
}: HealthCall & FieldValues<typeof fields>): Promise<SpeedCheckResult> {
	const isMeasured = target.service === 'modelServer' && values.measureSpeed === true;
	const speedOptions = isMeasured
		? {
				model: values.model ?? '',
				tokens: values.tokens ?? fields.tokens.default,
				concurrency: values.concurrentRequests ?? fields.concurrentRequests.default,
				signal,
				...TIMEOUTS,
				hasMiddleRound: true,
			}
		: undefined;
	const health = await checkServer(target, checkOptions);
	if (speedOptions === undefined) return health;
	const measured = await addSpeedTest(target, health, speedOptions).catch(asServerErrorOrThrow);
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

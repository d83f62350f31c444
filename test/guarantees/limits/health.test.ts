import { renderHtmlReport } from '../../../lib/health/report';
import type { SpeedCheckResult } from '../../../lib/health/speed';
import { testLimit, textOfCharacters } from '../../support/jest/limits';

const page = (change: object, title = 'Title') =>
	renderHtmlReport(
		{
			status: 'healthy',
			healthy: true,
			summary: 'All is well.',
			findings: [],
			server: { url: 'http://10.0.0.5:8080', type: 'llamaServer' },
			models: [],
			checkedAt: '2026-11-28T12:00:00.000Z',
			...change,
		} as unknown as SpeedCheckResult,
		{ title, timeZone: 'UTC' },
	);
const finding = (id: string) => ({
	id,
	severity: 'info',
	observed: 'o',
	detail: 'd',
	suggestion: 's',
});

testLimit('lib/health/report.ts#MAX_TEXT', {
	limit: 300,
	of: 'wide characters',
	outcome: (length) => page({ summary: textOfCharacters(length) }).includes('…'),
	within: false,
	beyond: true,
});
testLimit('lib/health/report.ts#MAX_NAME', {
	limit: 120,
	of: 'wide characters',
	outcome: (length) => page({}, textOfCharacters(length)).includes('…'),
	within: false,
	beyond: true,
});
testLimit('lib/health/report.ts#MAX_FINDINGS', {
	limit: 12,
	outcome: (count) => {
		const findings = Array.from({ length: count }, (_none, at) => finding(`finding${at + 1}.`));
		return page({ findings }).includes(`finding${count}.`);
	},
	within: true,
	beyond: false,
});

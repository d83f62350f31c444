import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { checkServer, type CheckResult } from '../../../lib/health/check';
import type { Finding } from '../../../lib/health/observations';
import type { CheckOptions } from '../../../lib/health/probes';
import { difyTarget, modelServerTarget } from '../../../nodes/ServerHealth/target';

export const SESAME = 'open-sesame-123456';

/** Everything is on this machine, but that may be busy; questions that stay open have shorter limits of their own. */
const LIMITS: CheckOptions = { timeLimitMs: 15_000, elsewhereLimitMs: 15_000 };

/** Checks the server of a "LocalLlama API" credential. */
export async function check(
	baseUrl: string,
	options: CheckOptions = {},
	credential: ICredentialDataDecryptedObject = {},
): Promise<CheckResult> {
	return await checkServer(modelServerTarget({ baseUrl, apiKey: SESAME, ...credential }), { ...LIMITS, ...options });
}

export async function checkDify(
	baseUrl: string,
	credential: ICredentialDataDecryptedObject = {},
	options: CheckOptions = {},
): Promise<CheckResult> {
	return await checkServer(difyTarget({ baseUrl, ...credential }), { ...LIMITS, ...options });
}

/** The finding with this id; a failure of the test where there is none. */
export function finding(result: CheckResult, id: string): Finding {
	const found = result.findings.find((one) => one.id === id);
	if (found === undefined) throw new Error(`no finding "${id}" among ${JSON.stringify(result.findings, null, 1)}`);
	return found;
}

export function ids(result: CheckResult): string[] {
	return result.findings.map(({ id }) => id);
}

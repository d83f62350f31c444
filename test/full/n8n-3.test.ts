/** Changes of n8n 3 (docs/compatibility.md). `N8N_DEFAULTS=3` runs any suite with its settings. */
import { N8N_3_RULES } from '../support/n8n/n8n-3-rules';
import * as childProcess from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { isOldestN8n, parts } from '../e2e/support/playground';

// n8n 2.20 has no rules for version 3.
(isOldestN8n() ? test.skip : test)(
	'none of n8n’s own rules for version 3 applies to an example',
	() => {
		const script = path.join(process.cwd(), 'test', 'full', 'support', 'v3-rules.cjs');
		const { stdout, stderr } = childProcess.spawnSync(
			process.execPath,
			[script, parts().n8n.folder, path.join(process.cwd(), 'workflows')],
			{ encoding: 'utf8' },
		);
		expect(stderr).toBe('');
		const { rules, hits } = JSON.parse(stdout) as { rules: string[]; hits: object[] };
		// The conditions of the rules are checked by the quick tests.
		expect(rules.sort()).toEqual(Object.keys(N8N_3_RULES).sort());
		expect(hits).toEqual([]);
	},
);

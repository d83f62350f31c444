/**
 * Runs n8n's own rules for breaking changes of version 3: `node v3-rules.cjs <folder of n8n> <folder of workflows>`.
 * Prints `{ rules, hits }` as JSON.
 */
const { readdirSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const [n8nFolder, workflowFolder] = process.argv.slice(2);
const n8n = join(n8nFolder, 'node_modules', 'n8n');
createRequire(join(n8n, 'package.json'))('reflect-metadata');

const RULES = join(n8n, 'dist', 'modules', 'breaking-changes', 'rules', 'v3');
/** Node types for the rules, which check the number of outputs. */
const TWO_OUTPUTS = /\.(serverHealth|if|switch|splitInBatches|textClassifier|compareDatasets)$/;
const nodeTypes = {
	getByNameAndVersion: (type) => ({
		description: { outputs: TWO_OUTPUTS.test(type) ? ['main', 'main'] : ['main'] },
	}),
};

const classes = readdirSync(RULES)
	.filter((file) => file.endsWith('.rule.js'))
	.flatMap((file) => Object.values(require(join(RULES, file))).flat())
	.filter((value) => typeof value === 'function' && value.prototype?.detectWorkflow !== undefined);
const rules = [...new Set(classes)].map((Rule) => new Rule(nodeTypes));

const check = async () => {
	const hits = [];
	for (const file of readdirSync(workflowFolder).filter((name) => name.endsWith('.json'))) {
		const workflow = JSON.parse(readFileSync(join(workflowFolder, file), 'utf8'));
		const byType = new Map();
		for (const node of workflow.nodes)
			byType.set(node.type, [...(byType.get(node.type) ?? []), node]);
		for (const rule of rules) {
			const { isAffected, issues } = await rule.detectWorkflow(workflow, byType);
			if (isAffected) hits.push({ file, rule: rule.id, issues: issues.map(({ title }) => title) });
		}
	}
	process.stdout.write(JSON.stringify({ rules: rules.map(({ id }) => id), hits }));
};
void check();

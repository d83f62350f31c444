import { chromium as playwright, selectors, type Locator, type Page } from 'playwright-core';

import type { Login } from '../../../scripts/lib/types';
import { fs, path, process } from '../../support/node';
import { loadScript } from '../../support/scripts';
import { chromium, workFolder, type N8nServer } from './playground';

export type { Locator, Page } from 'playwright-core';

export interface Editor {
	page: Page;
	/** An element by n8n's own marks for tests. */
	get(testId: string): Locator;
	/** Opens a saved workflow; comes back when its nodes are drawn. */
	openWorkflow(id: string): Promise<void>;
	node(name: string): Locator;
	/** Opens the panel of a node on the canvas. */
	openNode(name: string): Promise<void>;
	closeNode(): Promise<void>;
	/**
	 * Writes a picture into the work folder, and where `LOCAL_LLAMA_PICTURES` names a folder, there too; its path is returned.
	 *
	 * @param of the part of the window that is shown; `canvas`: the nodes and notes of a workflow, without the buttons that lie over them
	 */
	picture(name: string, of?: Locator | 'canvas'): Promise<string>;
	close(): Promise<void>;
}

/** Starting n8n's front end takes 3 s on an idle machine, and ten times that on one that runs other tests. */
const ACTION_TIMEOUT_MS = 90_000;

/** n8n's editor in a real browser, logged in as the owner. */
export async function openEditor(n8n: Pick<N8nServer, 'url'>, theme: 'light' | 'dark' = 'light', owner?: Login): Promise<Editor> {
	const { TEST_LOGIN } = await loadScript<{ TEST_LOGIN: Login }>('n8n');
	const login = owner ?? TEST_LOGIN;
	const { executablePath, args } = chromium();
	selectors.setTestIdAttribute('data-test-id');
	const browser = await playwright.launch({ executablePath, args });
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: theme, reducedMotion: 'reduce' });
	const page = await context.newPage();
	page.setDefaultTimeout(ACTION_TIMEOUT_MS);
	const get = (testId: string) => page.getByTestId(testId);
	const node = (name: string) => page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);

	await page.goto(`${n8n.url}/signin`);
	await page.locator('input[name="emailOrLdapLoginId"], input[type="email"]').first().fill(login.email);
	await page.locator('input[type="password"]').first().fill(login.password);
	await page.keyboard.press('Enter');
	await page.waitForURL((url) => !url.pathname.includes('signin'));

	const folders = [workFolder('pictures'), process.env.LOCAL_LLAMA_PICTURES].filter((folder) => folder !== undefined && folder !== '') as string[];
	return {
		page,
		get,
		node,
		openWorkflow: async (id) => {
			await page.goto(`${n8n.url}/workflow/${id}`);
			await get('canvas-node').first().waitFor();
		},
		openNode: async (name) => {
			await node(name).dblclick();
			await get('node-parameters').waitFor();
		},
		closeNode: async () => {
			await get('ndv-close-button').click();
			await get('node-parameters').waitFor({ state: 'hidden' });
		},
		picture: async (name, of) => {
			// What n8n has to say lies across what is to be seen, and goes by itself.
			await page.addStyleTag({ content: '.el-notification { visibility: hidden !important; }' });
			const options = { animations: 'disabled', caret: 'hide' } as const;
			const bytes = of === 'canvas' ? await canvasPicture(page) : await (of ?? page).screenshot(options);
			for (const folder of folders) {
				fs.mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
				fs.writeFileSync(path.join(folder, `${name}.png`), bytes);
			}
			return path.join(folders[0]!, `${name}.png`);
		},
		close: async () => await browser.close(),
	};
}

/** The nodes and notes of the workflow that is open, drawn as large as they fit. */
async function canvasPicture(page: Page): Promise<Buffer> {
	const overlays = ['canvas-controls', 'workflow-chat-button', 'node-creator-plus-button', 'command-bar-button', 'add-sticky-button', 'toggle-focus-panel-button', 'instance-ai-canvas-action-button'];
	const tabs = '[role="radiogroup"]:has([data-test-id="radio-button-workflow"]), :has(> [data-test-id="radio-button-workflow"])';
	const selector = [...overlays.map((id) => `[data-test-id="${id}"]`), '[data-test-id^="execute-workflow-button"]', tabs].join(', ');
	await page.addStyleTag({ content: `${selector} { visibility: hidden !important; }` });
	const boxes = await Promise.all((await page.locator('[data-test-id="canvas-node"], [data-test-id="sticky"]').all()).map(async (part) => await part.boundingBox()));
	const drawn = boxes.filter((box) => box !== null);
	const margin = 44;
	// Names stand below the boxes, a trigger's bolt beside it, and a lonely output ends in a plus.
	const edges = { name: 60, plus: 70 };
	const left = Math.min(...drawn.map(({ x }) => x)) - margin;
	const top = Math.min(...drawn.map(({ y }) => y)) - margin;
	const right = Math.max(...drawn.map(({ x, width }) => x + width)) + edges.plus;
	const bottom = Math.max(...drawn.map(({ y, height }) => y + height)) + edges.name;
	return await page.screenshot({ animations: 'disabled', clip: { x: Math.max(0, left), y: Math.max(0, top), width: right - Math.max(0, left), height: bottom - Math.max(0, top) } });
}

/** Whether an element shows all that it holds. */
export async function isWhole(element: Locator): Promise<boolean> {
	return await element.evaluate((shown: { scrollWidth: number; clientWidth: number; scrollHeight: number; clientHeight: number }) =>
		// One pixel is rounding.
		shown.scrollWidth <= shown.clientWidth + 1 && shown.scrollHeight <= shown.clientHeight + 1,
	);
}

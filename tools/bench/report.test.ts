import assert from 'node:assert/strict';
import { exactly, isHeld, type Goal, type Report } from './benchmark.ts';
import { chart } from './chart.ts';
import { fullPlan } from './method.ts';
import { benchmarksPage, figureText, goalText, rounded, type Surroundings } from './report.ts';

const goal = (value: number, parts: Partial<Goal> = {}): Goal => ({ what: 'ours / theirs', limit: 1.5, unit: '×', ...exactly(value), shortfall: 'It reads too much.', ...parts });
const surroundings: Surroundings = { date: '2026-11-21', commit: 'abc', machine: '2 × CPU', system: 'Linux', load: [0.1, 0.25], versions: { node: 'v22' } };
const report = (parts: Partial<Report>): Report => ({ id: 'P1', title: 'Start', how: 'So.', seconds: 3, goals: [], beside: [], ...parts });
const page = (...reports: Report[]): string => benchmarksPage({ surroundings, plan: fullPlan, reports });

describe('the page of the benchmarks', () => {
  it('gives figures as many digits as mean something', () => {
    assert.deepEqual([0.1234, 12.34, 123.4, 12_345, 7, NaN].map(rounded), ['0.12', '12.3', '123', '12,345', '7', '-']);
    assert.equal(figureText({ what: '', value: 1.25, low: 1.2, high: 1.31, unit: '×' }), '1.25× (1.2 to 1.31)');
    assert.equal(figureText({ what: '', value: 3, low: 3, high: 3, unit: ' ms' }), '3 ms');
    assert.equal(goalText(goal(1, { limit: 10, atLeast: true })), 'ours / theirs ≥ 10×');
  });

  it('says what is reached and by how much the rest is missed', () => {
    assert.deepEqual([goal(1.5), goal(1.51), goal(10, { atLeast: true, limit: 10 }), goal(9, { atLeast: true, limit: 10 })].map(isHeld), [true, false, true, false]);
    const text = page(report({ goals: [goal(1.2), goal(3), goal(5, { limit: 10, atLeast: true })] }));
    assert.match(text, /\| P1 \| ours \/ theirs ≤ 1\.5× \| 1\.2× \| yes \|/);
    assert.match(text, /\| 3× \| no, by 100 % \|/);
    assert.match(text, /≥ 10× \| 5× \| no, by 100 % \|/);
    assert.equal(text.match(/It reads too much/g)?.length, 1, 'said once');
  });

  it('shows the profile of what is missed', () => {
    const missed = report({ id: 'P9', goals: [goal(3)] });
    assert.match(page(missed), /\*\*Profile\*\* of 2026-11-21: .*\n\n\| where \| processFrame, ms \| hello, ms \|/);
    assert.doesNotMatch(page({ ...missed, goals: [goal(1)] }), /Profile/);
  });

  it('explains nothing that is reached', () => assert.doesNotMatch(page(report({ goals: [goal(1)] })), /It reads too much/));

  it('shows a benchmark that failed as such', () => assert.match(page(report({ failure: 'no such file' })), /\| P1 \|  \| failed \| no \|[^]*This benchmark failed: no such file/));

  it('draws a bar for each goal, and an arrow at those that leave the chart', () => {
    const svg = chart([report({ goals: [goal(0.75), goal(30, { what: 'a < b' })] })]);
    assert.match(svg, /width="83" height="16" rx="2" fill="#2e7d5b"/);
    assert.match(svg, /a &lt; b.*fill="#b5482f".*30× →/);
  });
});
